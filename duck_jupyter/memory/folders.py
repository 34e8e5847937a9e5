"""
The folders that blocks lie in, and how much room each has.
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

#: Where the system keeps files that are memory; not every system has it.
MEMORY_FOLDER = Path("/dev/shm")
#: What all names of this project begin with, in memory and in the spool folder.
NAME_PREFIX = "duck-"
#: What is left free for others, or a sixteenth where a place is small.
RESERVE_BYTES = 16 * 2**20
#: What a file system answers that cannot make a file without a name.
NO_NAMELESS = frozenset({errno.EISDIR, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOENT})


class Place(NamedTuple):
    """
    A folder for blocks, at one moment. Sizes are bytes.
    """

    folder: Path
    #: What the file system holds at most; 0 where there is none to write to.
    capacity: int
    free: int
    #: What the system said when it refused to take more, which a quota may do too.
    refusal: str = ""

    @property
    def room(self) -> int:
        """
        What a block may take.
        """
        return max(0, self.free - min(RESERVE_BYTES, self.capacity // 16))

    @property
    def used(self) -> int:
        """
        What is taken, by whomever.
        """
        return self.capacity - self.free


def look_at(folder: Path) -> Place:
    """
    Look how much room there is in a folder.
    """
    if os.access(folder, os.W_OK | os.X_OK):
        with contextlib.suppress(OSError):
            found = os.statvfs(folder)
            unit = found.f_frsize
            return Place(folder, found.f_blocks * unit, found.f_bavail * unit)
    return Place(folder, 0, 0)


def memory_place() -> Place:
    """
    Look how much room there is in memory.
    """
    return look_at(MEMORY_FOLDER)


def is_in_memory(device: int) -> bool:
    """
    Tell whether a file of this device lies in the folder that is memory.
    """
    try:
        return MEMORY_FOLDER.stat().st_dev == device
    except OSError:
        return False


def open_nameless(folder: Path) -> int:
    """
    Open an empty file without a name.

    Returns:
        A descriptor to read and write, which the caller closes.

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
    # A sweep may have been quicker, and does no harm.
    path.unlink(missing_ok=True)
    return fd
