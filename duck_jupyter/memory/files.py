"""
Files of memory without a name, which other processes of the user open and map.

The maker of a file keeps it open, and another process opens it as ``/proc/PID/fd/N``.
This takes no round trip, and nothing is left when the last process that uses the file
ends, however it ends.

A process that maps a file holds a read lock of its own open file description. A mapping
is a use of the description, and the lock ends with the last use in all forked
processes. So the maker can check at any time whether any process maps the file. See
"Open file description locks" in https://man7.org/linux/man-pages/man2/fcntl.2.html.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
import struct
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .allocation import with_room
from .copying import address_of, write_pieces
from .descriptors import Descriptor, Descriptors
from .folders import is_in_memory
from .process_state import pid_namespace

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Access",
    "FileKey",
    "MemoryFile",
    "SharedFile",
    "is_locked",
    "map_file",
    "open_shared",
]

# struct flock of Linux: type, whence, start, length, pid.
_LOCK = struct.Struct("@hhqqi4x")
#: Errors when a folder, a socket or a device without a driver is opened.
OTHER_KIND = frozenset({errno.EISDIR, errno.ENXIO, errno.ENODEV, errno.ETXTBSY})
#: From Python 3.13 on a mapping need not keep its own descriptor.
_NO_SECOND_DESCRIPTOR: dict[str, Any] = (
    {"trackfd": False} if sys.version_info >= (3, 13) else {}
)

#: The files of this process, including those that are being written.
_files: weakref.WeakSet[MemoryFile] = weakref.WeakSet()


class Access:
    """
    How another process maps a file.
    """

    #: Writable; writes stay in the process that makes them.
    COPY = mmap.ACCESS_COPY
    READ = mmap.ACCESS_READ
    #: Writable; all processes that map the file see the writes.
    SHARED = mmap.ACCESS_WRITE


class FileKey(NamedTuple):
    """
    The data with which another process finds a file and verifies its identity.
    """

    pid: int
    fd: int
    device: int
    inode: int
    #: The namespace that the process number belongs to; 0 if it is unknown.
    namespace: int = 0

    @property
    def path(self) -> str:
        """
        The path to open the file with, while its maker keeps it open.
        """
        return f"/proc/{self.pid}/fd/{self.fd}"


class Identity(NamedTuple):
    """
    The identity of a file among all that are in use at one time, and its size.
    """

    device: int
    inode: int
    size: int


class MemoryFile:
    """
    A file in the process of its maker: written, mapped, and kept open for others.

    A forked child closes it at once; objects over the mapping stay valid there.

    Args:
        size: Size of the whole file in bytes.
        pieces: The content, by offset. Together the pieces leave no page out, so that
            every page has its memory before a process maps it.

    Raises:
        DataTooBigError: No folder has space for it.
    """

    #: The descriptor during the writing; a child that is forked meanwhile closes it.
    _written: int = -1
    _descriptor: Descriptor | None = None

    def __init__(self, size: int, pieces: Sequence[tuple[int, memoryview]]) -> None:
        self.size = size
        _files.add(self)

        def write(fd: int) -> None:
            self._written = fd
            try:
                write_pieces(fd, pieces)
            except BaseException:
                self._written = -1
                raise

        try:
            self._descriptor = descriptor = Descriptor(with_room(size, write))
        finally:
            self._written = -1
        try:
            fd = descriptor.fileno()
            self.map: mmap.mmap = mmap.mmap(fd, size, **_NO_SECOND_DESCRIPTOR)
            self.address: int = address_of(self.map)
            found = os.fstat(fd)
            self.key: FileKey = FileKey(
                os.getpid(), fd, found.st_dev, found.st_ino, pid_namespace()
            )
        except BaseException:
            self.close()
            raise

    @property
    def is_spooled(self) -> bool:
        """
        Whether it is on disk, because it was too large for memory.
        """
        return not is_in_memory(self.key.device)

    @property
    def is_mapped(self) -> bool:
        """
        Whether another process maps the file, or this one maps it as others do.

        Raises:
            ValueError: It was closed in this process.
        """
        descriptor = self._descriptor  # keeps it open until the system has answered
        if descriptor is None:
            raise ValueError("The file was closed.")
        return is_locked(descriptor.fileno())

    def close(self) -> None:
        """
        Close the file here; other processes keep their mappings. May be called again.
        """
        written, self._written = self._written, -1
        if self._descriptor is None and written >= 0:
            os.close(written)
        self._descriptor = None
        # Never call map.close(): an array over the mapping may not count as a user of
        # its memory (numpy.ndarray(buffer=...)), and would be left without it.
        vars(self).pop("map", None)

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        here = self._descriptor
        state = "closed" if here is None else f"fd={here.fileno()}"
        return f"<MemoryFile {self.size} bytes, {state}>"


class SharedFile:
    """
    A file of another process, open and locked here as long as it is mapped.

    Args:
        owner: Has only its descriptor; a context manager closes it.
        identity: The identity of the file.
    """

    def __init__(self, owner: Descriptors, identity: Identity) -> None:
        self._owner = owner
        self.identity = identity

    @property
    def fd(self) -> int:
        """
        Its descriptor, for code that holds this object.
        """
        return self._owner[-1]

    def read(self, size: int, offset: int) -> bytes:
        """
        Read a few bytes.
        """
        return os.pread(self.fd, size, offset)

    def write(self, data: bytes, offset: int) -> None:
        """
        Write a few bytes that all processes see.
        """
        os.pwrite(self.fd, data, offset)

    def map(self, access: int) -> mmap.mmap:
        """
        Map the whole file; the mapping keeps the lock.

        Args:
            access: One of `Access`.
        """
        return map_file(self.fd, access)

    def hold(self) -> mmap.mmap:
        """
        Return a mapping that keeps the lock as long as it exists.
        """
        return map_file(self.fd, Access.READ, mmap.PAGESIZE)

    def __enter__(self) -> SharedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._owner.close()


def is_locked(fd: int) -> bool:
    """
    Return whether any other open file description has a lock on a file.

    Args:
        fd: A descriptor of the file, which is kept open meanwhile.
    """
    wanted = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, wanted)
    return bool(_LOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def map_file(fd: int, access: int, size: int = 0) -> mmap.mmap:
    """
    Map an open file.

    Args:
        fd: Its descriptor, which is not needed afterwards.
        access: One of `Access`.
        size: The bytes to map; all of them by default.
    """
    return mmap.mmap(fd, size, access=access, **_NO_SECOND_DESCRIPTOR)


def open_shared(key: FileKey) -> SharedFile:
    """
    Open a file of another process.

    Raises:
        FileNotFoundError: It does not exist any more.
        PermissionError: It belongs to another user.
    """
    owner = Descriptors()
    # Opening a device or a pipe could have effects, so check the type first.
    _require(key, Path(key.path).stat())
    try:
        fd = owner.open(key.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        if error.errno not in OTHER_KIND:
            raise
        raise _another(key) from error
    found = os.fstat(fd)
    _require(key, found)  # it may have become another file meanwhile
    lock = _LOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, lock)
    return SharedFile(owner, Identity(found.st_dev, found.st_ino, found.st_size))


def _require(key: FileKey, found: os.stat_result) -> None:
    same = (found.st_dev, found.st_ino) == (key.device, key.inode)
    if not same or not stat.S_ISREG(found.st_mode):
        raise _another(key)


def _another(key: FileKey) -> FileNotFoundError:
    return FileNotFoundError(f"{key.path} is now another file.")


def _after_fork_in_child() -> None:
    for file in list(_files):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
