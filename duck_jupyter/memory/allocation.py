"""
Allocation of the file of a block, in the first folder with space for it.

The first folder is ``/dev/shm``, which is memory. A file that does not fit there is
created in the spool folder, on disk, with one warning. In both folders the file has no
name, so nothing is left behind.

Only a write shows whether there is space: a file system that looked empty may be full a
moment later, or a quota may refuse the write. So nothing is mapped before all of its
space is allocated, and if one folder fails, the next one is tried. Touching a page for
which there is no memory would end the process with SIGBUS.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from typing import TYPE_CHECKING

from ..errors import DataTooBigError
from .folders import NAME_PREFIX, memory_place, open_nameless
from .spool import size_option, spool_place, warn_of_spool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .folders import Place

__all__ = ["allocate", "fill", "free_memory", "growing", "with_room"]

ZEROS = bytes(2**20)
#: Errors of a folder without space: full, a quota, a limit of files, no memory.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM})
#: The largest file that is created outside of `/dev/shm`, whose limit protects the
#: machine.
GROWING_BYTES = 16 * 2**20
SEALS = 0 if sys.platform != "linux" else fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


def allocate(size: int) -> int:
    """
    Create a file of zeros without a name, with all its space allocated.

    Args:
        size: Size in bytes.

    Returns:
        A descriptor to read, write and map; the caller closes it.

    Raises:
        DataTooBigError: No folder has space for it.
    """
    return with_room(size, lambda fd: fill(fd, size))


def growing(size: int) -> int | None:
    """
    Create a file of zeros in memory that can grow and that no process can shorten.

    Args:
        size: Size in bytes; all of them are allocated.

    Returns:
        A descriptor to read, write and map; the caller closes it. None if the system
        has no such files, or cannot create this one.
    """
    if size > GROWING_BYTES or not hasattr(os, "memfd_create"):
        return None
    try:
        fd = os.memfd_create(
            f"{NAME_PREFIX}lane", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        )
    except OSError:
        return None
    try:
        os.fchmod(fd, 0o600)
        fill(fd, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
    except OSError:
        os.close(fd)
        return None
    return fd


def with_room(size: int, write: Callable[[int], None]) -> int:
    """
    Write a file without a name in the first folder that has space for it.

    Args:
        size: Size of the file in bytes.
        write: Writes all of the file to a descriptor, without mapping it. If it fails
            because there is no space, it is called again with a new empty file in the
            next folder.

    Returns:
        A descriptor to read, write and map; the caller closes it.

    Raises:
        DataTooBigError: No folder has space for it.
    """
    full: list[Place] = []
    for look in (memory_place, spool_place):
        place = look()
        if size <= place.room:
            try:
                fd = _written(place.folder, write)
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                place = look()._replace(refusal=str(error.strerror))
            else:
                if full:
                    warn_of_spool(fd, size, full[0], place)
                return fd
        full.append(place)
    memory, spool = full
    free = _in_words(spool)
    if memory.folder.is_dir():
        free = f"{_in_words(memory)}, {free}"
    raise DataTooBigError(
        f"There is no space for a block of {size:,} bytes; free bytes: {free}. Send or "
        "share less at a time, or free some with %unshare NAME. For more shared "
        f"memory, start the container with docker run {size_option(size, memory)}. For "
        "a folder on a larger disk, run %config DuckJupyter.spool_dir = 'FOLDER' "
        "before the server starts."
    )


def free_memory() -> int:
    """
    Return how many bytes of memory programs can still allocate.
    """
    import psutil  # slow to import, and only needed for large messages

    return int(psutil.virtual_memory().available)


def fill(fd: int, size: int) -> None:
    """
    Fill an empty file with this many zeros, with space for all of them.

    Raises:
        OSError: There is no space for them.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
        return
    done = 0
    while done < size:
        done += os.pwrite(fd, ZEROS[: size - done], done)


def _written(folder: Path, write: Callable[[int], None]) -> int:
    fd = open_nameless(folder)
    try:
        write(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _in_words(place: Place) -> str:
    refusal = f" ({place.refusal})" if place.refusal else ""
    return f"{place.free:,} in {place.folder}{refusal}"
