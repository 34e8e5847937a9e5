"""
Where the file of a block goes, and what happens where there is no room for it.

Memory comes first, ``/dev/shm``; what does not fit there goes into the spool folder,
on disk, with one warning. A file has no name in either, so nothing is left behind.

Only a write shows whether there was room: a file system that looked empty may
be full a moment later, or a quota may say no. So nothing is mapped before all of its
space is allocated, and a place that fails is followed by the next one. Touching a
page that cannot be had would end the process with SIGBUS.

There is one ``/dev/shm`` in a process, and so there is one spool folder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import sys
import tempfile
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DataTooBigError, NotShareable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "NAME_PREFIX",
    "Place",
    "SpoolWarning",
    "allocate",
    "check_spool",
    "chosen_spool",
    "follow_spool",
    "free_memory",
    "growing",
    "is_in_memory",
    "memory_place",
    "open_block",
    "spool_folder",
    "spool_place",
    "use_spool",
    "with_room",
]

#: Where the system keeps files that are memory; not every system has it.
MEMORY_FOLDER = Path("/dev/shm")
#: What all names of this project begin with, in memory and in the spool folder.
NAME_PREFIX = "duck-"
#: What is left free for others, or a sixteenth where a place is small.
RESERVE_BYTES = 16 * 2**20
ZEROS = bytes(2**20)
#: What a place without room answers: full, a quota, a limit on files, no memory.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM})
#: What a file system answers that cannot make a file without a name.
NO_NAMELESS = frozenset({errno.EISDIR, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOENT})
#: The largest file that is made outside of `/dev/shm`, whose limit guards the machine.
GROWING_BYTES = 16 * 2**20
SEALS = 0 if sys.platform != "linux" else fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL

_spool: Path | None = None
_lock = threading.Lock()
#: What was warned of, each once in a process.
_warned: set[Path] = set()


class SpoolWarning(UserWarning):
    """
    Shared memory was too small, so a block went to the spool folder, on disk.

    Where that must not be, turn the warning into an error: nothing is spooled then.
    """


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


def check_spool(folder: str) -> None:
    """
    Require a spool folder that can be written to; no name is the temporary folder.

    Raises:
        NotShareable: It cannot.
    """
    if not folder:
        return
    try:
        # To do it is the only sure way to know that it can be done.
        os.close(_open(Path(folder).expanduser()))
    except (OSError, ValueError, RuntimeError) as error:
        raise NotShareable(
            "spool_dir is a folder that exists and that you may write to, and "
            f"{folder!r} is not ({error}). Make it first, or leave spool_dir empty "
            f"for the temporary folder, {tempfile.gettempdir()!r}."
        ) from None


def use_spool(folder: str) -> None:
    """
    Choose the spool folder of this process; no name is the temporary folder.

    Raises:
        NotShareable: It cannot be written to; nothing has changed.
    """
    global _spool
    check_spool(folder)
    _spool = Path(folder).expanduser().absolute() if folder else None


def follow_spool(folder: str) -> None:
    """
    Use the spool folder of a server that this process works for.

    One that was chosen here stays, and one that is not to be had here does not count.
    """
    if _spool is None:
        with contextlib.suppress(NotShareable):
            use_spool(folder)


def chosen_spool() -> str:
    """
    Give the spool folder that was chosen, or no name.
    """
    return str(_spool or "")


def spool_folder() -> Path:
    """
    Give the folder for what does not fit in memory.
    """
    return _spool or Path(tempfile.gettempdir())


def memory_place() -> Place:
    """
    Look how much room there is in memory.
    """
    return _look(MEMORY_FOLDER)


def spool_place() -> Place:
    """
    Look how much room there is in the spool folder.
    """
    return _look(spool_folder())


def is_in_memory(device: int) -> bool:
    """
    Tell whether a file of this device lies in the folder that is memory.
    """
    try:
        return MEMORY_FOLDER.stat().st_dev == device
    except OSError:
        return False


def open_block(size: int) -> int:
    """
    Open an empty file without a name, where it looks as if so much would fit.

    What is written to it may fail for want of room all the same; `with_room` then
    goes on in the next place.

    Args:
        size: Bytes that will be written.

    Returns:
        A descriptor to read and write, which the caller closes.

    Raises:
        DataTooBigError: There is no room for it anywhere.
    """
    return with_room(size, lambda fd: None)


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
                    _warn(fd, size, full[0], place)
                return fd
        full.append(place)
    memory, spool = full
    free = _in_words(spool)
    if memory.folder.is_dir():
        free = f"{_in_words(memory)}, {free}"
    raise DataTooBigError(
        f"There is no room for a block of {size:,} bytes; free bytes: {free}. Send or "
        "share less at a time, or free some with %unshare NAME. More shared memory is "
        f"had with docker run {_flag(size, memory)}, and a folder on a larger disk is "
        "chosen with %config DuckJupyter.spool_dir = 'FOLDER' before the server starts."
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


def _look(folder: Path) -> Place:
    if os.access(folder, os.W_OK | os.X_OK):
        with contextlib.suppress(OSError):
            found = os.statvfs(folder)
            unit = found.f_frsize
            return Place(folder, found.f_blocks * unit, found.f_bavail * unit)
    return Place(folder, 0, 0)


def _written(folder: Path, write: Callable[[int], None]) -> int:
    fd = _open(folder)
    try:
        write(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _open(folder: Path) -> int:
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


def _warn(fd: int, size: int, memory: Place, spool: Place) -> None:
    if not memory.folder.is_dir():
        return  # a system without such a folder has lost nothing
    with _lock:
        if memory.folder in _warned:
            return
        _warned.add(memory.folder)
    refusal = f": {memory.refusal}" if memory.refusal else ""
    try:
        warnings.warn(
            f"{memory.folder} has no room for {size:,} bytes ({memory.free:,} of "
            f"{memory.capacity:,} are free{refusal}), so they went to "
            f"{spool.folder}, which may be slower. Give the container more shared "
            f"memory: docker run {_flag(size, memory)}. Another folder is chosen with "
            "DuckJupyter.spool_dir.",
            SpoolWarning,
            stacklevel=2,
        )
    except SpoolWarning:
        os.close(fd)
        raise


def _flag(size: int, memory: Place) -> str:
    # What is held stays, and the reserve with it.
    megabytes = -(-(memory.used + size + RESERVE_BYTES) // 2**20)
    return f"--shm-size={megabytes}m"


def _in_words(place: Place) -> str:
    refusal = f" ({place.refusal})" if place.refusal else ""
    return f"{place.free:,} in {place.folder}{refusal}"
