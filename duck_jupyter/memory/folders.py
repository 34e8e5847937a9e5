"""
The folders of blocks, and the free space of each.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "MEMORY_FOLDER",
    "NAME_PREFIX",
    "RESERVE_BYTES",
    "Place",
    "is_in_memory",
    "look_at",
    "memory_place",
    "open_nameless",
]

#: The folder whose files are memory; not every system has it.
MEMORY_FOLDER = Path("/dev/shm")
#: The prefix of all names of this project, in memory and in the spool folder.
NAME_PREFIX = "duck-"
#: Space that is left free for others, or a sixteenth of a small folder.
RESERVE_BYTES = 16 * 2**20
#: Errors of a file system that cannot create a file without a name.
NO_NAMELESS = frozenset({errno.EISDIR, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOENT})


class Place(NamedTuple):
    """
    A folder for blocks at one moment. Sizes are in bytes.
    """

    folder: Path
    #: The capacity of the file system; 0 if the folder cannot be written to.
    capacity: int
    free: int
    #: The system's error when it refused to take more; a quota may cause this too.
    refusal: str = ""

    @property
    def room(self) -> int:
        """
        The bytes that a block may take.
        """
        return max(0, self.free - min(RESERVE_BYTES, self.capacity // 16))

    @property
    def used(self) -> int:
        """
        The bytes that are taken, by this or other programs.
        """
        return self.capacity - self.free


def look_at(folder: Path) -> Place:
    """
    Return the free space of a folder.
    """
    if os.access(folder, os.W_OK | os.X_OK):
        with contextlib.suppress(OSError):
            found = os.statvfs(folder)
            unit = found.f_frsize
            return Place(folder, found.f_blocks * unit, found.f_bavail * unit)
    return Place(folder, 0, 0)


def memory_place() -> Place:
    """
    Return the free space in memory.
    """
    return look_at(MEMORY_FOLDER)


def is_in_memory(device: int) -> bool:
    """
    Return whether a file of this device is in the folder whose files are memory.
    """
    try:
        return MEMORY_FOLDER.stat().st_dev == device
    except OSError:
        return False


def open_nameless(folder: Path) -> int:
    """
    Create an empty file without a name.

    Returns:
        A descriptor to read and write; the caller closes it.

    Raises:
        OSError: The folder cannot be written to.
    """
    flags = os.O_RDWR | os.O_CLOEXEC
    if hasattr(os, "O_TMPFILE"):
        try:
            return os.open(folder, flags | os.O_TMPFILE, 0o600)
        except OSError as error:
            if error.errno not in NO_NAMELESS:
                raise
    path = folder / f"{NAME_PREFIX}{secrets.token_hex(8)}"
    fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    # A sweep may already have removed the name; this does no harm.
    path.unlink(missing_ok=True)
    return fd
