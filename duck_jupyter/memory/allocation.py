"""
Where the file of a block goes, and what happens where there is no room for it.

Memory comes first, ``/dev/shm``; what does not fit there goes into the spool folder,
on disk, with one warning. A file has no name in either, so nothing is left behind.

Only a write shows whether there was room: a file system that looked empty may
be full a moment later, or a quota may say no. So nothing is mapped before all of its
space is allocated, and a place that fails is followed by the next one. Touching a
page that cannot be had would end the process with SIGBUS.
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
#: What a place without room answers: full, a quota, a limit on files, no memory.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM})
#: The largest file that is made outside of `/dev/shm`, whose limit guards the machine.
GROWING_BYTES = 16 * 2**20
SEALS = 0 if sys.platform != "linux" else fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


def allocate(size: int) -> int:
    """
    Open a file of zeros without a name, all its space allocated.

    Args:
        size: Bytes.

    Returns:
        A descriptor to read, write and map, which the caller closes.

    Raises:
        DataTooBigError: There is no room for it anywhere.
    """
    return with_room(size, lambda fd: fill(fd, size))


def growing(size: int) -> int | None:
    """
    Open a file of zeros in memory that can grow and that nobody can shorten.

    Args:
        size: Bytes, all of them allocated.

    Returns:
        A descriptor to read, write and map, which the caller closes; None where the
        system has no such files, or cannot give this one.
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
    Write a file without a name in the first place that has room for it.

    Args:
        size: Bytes that it will take.
        write: Writes all of them to the descriptor that it gets, without mapping it.
            Where that fails for want of room it is called again, with a new and
            empty file in the next place.

    Returns:
        A descriptor to read, write and map, which the caller closes.

    Raises:
        DataTooBigError: There is no room for it anywhere.
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
        f"There is no room for a block of {size:,} bytes; free bytes: {free}. Send or "
        "share less at a time, or free some with %unshare NAME. More shared memory is "
        f"had with docker run {size_option(size, memory)}, and a folder on a larger "
        "disk is chosen with %config DuckJupyter.spool_dir = 'FOLDER' before the "
        "server starts."
    )


def free_memory() -> int:
    """
    Tell how many bytes of memory programs may still take.
    """
    import psutil  # slow to import, and needed for large messages only

    return int(psutil.virtual_memory().available)


def fill(fd: int, size: int) -> None:
    """
    Let an empty file have so many zeros, with space for all of them.

    Raises:
        OSError: There is no room for them.
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
