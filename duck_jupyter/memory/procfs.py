"""
Reading ``/proc`` without releasing Python's lock.

`os.listdir` and `os.read` release the lock at each call. If another thread computes in
Python, each release can cost a switch interval of 5 ms, so that checking 64 threads
takes half a second. These functions keep the lock: the check takes half a millisecond,
and threads that run Python code wait for the lock meanwhile.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["list_names", "open_folder", "pause", "read_link", "read_text"]

#: The number of the system call getdents64, by machine.
LIST_CALL = {"x86_64": 217, "aarch64": 61}
BUFFER_BYTES = 8192
TEXT_BYTES = 512

#: Inode, offset, length of the entry, type; then the name, which ends with a zero.
_ENTRY = struct.Struct("=QqHB")


@functools.cache
def _libc() -> ctypes.PyDLL:
    return ctypes.PyDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


@contextmanager
def open_folder(path: str) -> Iterator[int]:
    """
    Open a folder for a ``with`` block.

    Yields:
        Its descriptor, for the other functions.

    Raises:
        OSError: It cannot be opened.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    folder = _checked(_libc().open(os.fsencode(path), flags))
    try:
        yield folder
    finally:
        _libc().close(folder)


def list_names(folder: int) -> list[str]:
    """
    List the names in a folder, from its start, without ``.`` and ``..``.

    Args:
        folder: The folder's descriptor.

    Raises:
        OSError: It cannot be read, or the machine's system calls are not known here.
    """
    number = LIST_CALL.get(platform.machine())
    if platform.system() != "Linux" or number is None:
        raise OSError("the numbers of this machine's system calls are not known")
    libc = _libc()
    _checked(libc.lseek(folder, ctypes.c_long(0), os.SEEK_SET))
    buffer = ctypes.create_string_buffer(BUFFER_BYTES)
    names: list[str] = []
    while size := _checked(libc.syscall(number, folder, buffer, BUFFER_BYTES)):
        found = buffer.raw[:size]
        at = 0
        while at < size:
            _, _, length, _ = _ENTRY.unpack_from(found, at)
            name = found[at + _ENTRY.size : at + length].split(b"\0", 1)[0]
            if name not in (b".", b".."):
                names.append(os.fsdecode(name))
            at += length
    return names


def read_text(folder: int, path: str) -> str:
    """
    Read the start of a file of ``/proc``, 512 bytes at most.

    Args:
        folder: The descriptor of the folder to which the path is relative.
        path: The file.

    Raises:
        OSError: It cannot be opened or read.
    """
    libc = _libc()
    flags = os.O_RDONLY | os.O_CLOEXEC
    file = _checked(libc.openat(folder, os.fsencode(path), flags))
    try:
        buffer = ctypes.create_string_buffer(TEXT_BYTES)
        size = _checked(libc.read(file, buffer, TEXT_BYTES))
        return buffer.raw[:size].decode("ascii", "replace")
    finally:
        libc.close(file)


def read_link(folder: int, path: str) -> str:
    """
    Read the target of a symbolic link, 512 bytes at most.

    Args:
        folder: The descriptor of the folder to which the path is relative.
        path: The link.

    Raises:
        OSError: It cannot be read.
    """
    buffer = ctypes.create_string_buffer(TEXT_BYTES)
    name = os.fsencode(path)
    size = _checked(_libc().readlinkat(folder, name, buffer, TEXT_BYTES))
    return os.fsdecode(buffer.raw[:size])


def pause() -> None:
    """
    Sleep for the shortest time that the system supports, about 60 microseconds.

    Threads that are ready to run get a processor, and those that need Python's lock
    begin to wait for it.
    """
    _libc().usleep(1)
