"""
Files of memory without a name, which other processes of the user open and map.

The maker of a file keeps it open, and another process opens it as
``/proc/PID/fd/N``: without a round trip, and with nothing left when the last process
that has it ends, however it does.

A process that maps a file holds a read lock of its own open file description. A mapping
is a use of the description, and the lock ends with the last use, in every process that
was forked; so the maker can ask at any time whether anybody maps the file. See
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

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Access",
    "FileKey",
    "MemoryFile",
    "SharedFile",
    "map_file",
    "open_shared",
]

# struct flock of Linux: type, whence, start, length, pid.
_LOCK = struct.Struct("@hhqqi4x")
#: What is answered when a folder, a socket or a device without a driver is opened.
OTHER_KIND = frozenset({errno.EISDIR, errno.ENXIO, errno.ENODEV, errno.ETXTBSY})
#: From Python 3.13 on a mapping need not keep a descriptor of its own.
_NO_SECOND_DESCRIPTOR: dict[str, Any] = (
    {"trackfd": False} if sys.version_info >= (3, 13) else {}
)

#: The files of this process, those that are being written among them.
_files: weakref.WeakSet[MemoryFile] = weakref.WeakSet()


class Access:
    """
    How another process maps a file.
    """

    #: Writable, and what is written stays in the process that writes it.
    COPY = mmap.ACCESS_COPY
    READ = mmap.ACCESS_READ
    #: Writable, and seen by all who map it.
    SHARED = mmap.ACCESS_WRITE


class FileKey(NamedTuple):
    """
    What another process needs to find a file, and to know that it is the one meant.
    """

    pid: int
    fd: int
    device: int
    inode: int

    @property
    def path(self) -> str:
        """
        Where the file can be opened while its maker keeps it open.
        """
        return f"/proc/{self.pid}/fd/{self.fd}"


class Identity(NamedTuple):
    """
    Which file it is, among all that are in use at one time, and how large.
    """

    device: int
    inode: int
    size: int


class MemoryFile:
    """
    A file as its maker has it: written, mapped, and kept open for others.

    A forked child gives it up at once; what it made of the mapping goes on.

    Args:
        size: Bytes of the whole file.
        pieces: What is written into it, by offset. Together they leave no page out,
            so that every page has its memory before anyone maps it.

    Raises:
        DataTooBigError: There is no room for it anywhere.
    """

    def __init__(self, size: int, pieces: Sequence[tuple[int, memoryview]]) -> None:
        self.size = size
        #: Being written; a child that is forked meanwhile closes it.
        self._written = -1
        self._descriptor: Descriptor | None = None
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
            self.map = mmap.mmap(fd, size, **_NO_SECOND_DESCRIPTOR)
            self.address = address_of(self.map)
            found = os.fstat(fd)
            self.key = FileKey(os.getpid(), fd, found.st_dev, found.st_ino)
        except BaseException:
            self.close()
            raise

    @property
    def is_spooled(self) -> bool:
        """
        It is not in memory, for which it was too large.
        """
        return not is_in_memory(self.key.device)

    @property
    def is_mapped(self) -> bool:
        """
        Another process maps the file, or this one does as others do.

        Raises:
            ValueError: It was closed here.
        """
        descriptor = self._descriptor  # keeps it open until the system has answered
        if descriptor is None:
            raise ValueError("The file was closed.")
        wanted = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, wanted)
        return bool(_LOCK.unpack(answer)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """
        Give the file up here. Other processes keep what they map. Twice is fine.
        """
        written, self._written = self._written, -1
        if self._descriptor is None and written >= 0:
            os.close(written)
        self._descriptor = None
        # Never map.close(): an array made over it need not be seen as a user of its
        # memory (numpy.ndarray(buffer=...)), and would be left without.
        vars(self).pop("map", None)

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        here = self._descriptor
        state = "closed" if here is None else f"fd={here.fileno()}"
        return f"<MemoryFile {self.size} bytes, {state}>"


class SharedFile:
    """
    A file of another process, open and locked here for as long as it is mapped.

    Args:
        owner: Has its descriptor, and nothing else; a context manager closes it.
        identity: Which one it is.
    """

    def __init__(self, owner: Descriptors, identity: Identity) -> None:
        self._owner = owner
        self.identity = identity

    @property
    def fd(self) -> int:
        """
        Its descriptor, for who holds this object.
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
        Keep the lock, for as long as there is what this gives.
        """
        return map_file(self.fd, Access.READ, mmap.PAGESIZE)

    def __enter__(self) -> SharedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._owner.close()


def map_file(fd: int, access: int, size: int = 0) -> mmap.mmap:
    """
    Map an open file.

    Args:
        fd: Its descriptor, which is not needed any longer.
        access: One of `Access`.
        size: So many bytes; all of it by default.
    """
    return mmap.mmap(fd, size, access=access, **_NO_SECOND_DESCRIPTOR)


def open_shared(key: FileKey) -> SharedFile:
    """
    Open a file of another process.

    Raises:
        FileNotFoundError: It is not there any more.
        PermissionError: It is of another user.
    """
    owner = Descriptors()
    # To open a device or a pipe would do something to it, so look first.
    _require(key, Path(key.path).stat())
    try:
        fd = owner.open(key.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        if error.errno not in OTHER_KIND:
            raise
        raise _another(key) from error
    found = os.fstat(fd)
    _require(key, found)  # it may have become another one meanwhile
    lock = _LOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, lock)
    return SharedFile(owner, Identity(found.st_dev, found.st_ino, found.st_size))


def _require(key: FileKey, found: os.stat_result) -> None:
    same = (found.st_dev, found.st_ino) == (key.device, key.inode)
    if not same or not stat.S_ISREG(found.st_mode):
        raise _another(key)


def _another(key: FileKey) -> FileNotFoundError:
    return FileNotFoundError(f"{key.path} is another file by now.")


def _after_fork_in_child() -> None:
    for file in list(_files):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
