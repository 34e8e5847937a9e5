"""
Slow reads: a file whose reads last until a test ends them.

Where FUSE can be mounted, reads go past the page tables, as those of a network file
system do. Where it cannot, the file is a pipe.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZE = 1 << 20
BYTE = b"\x77"
DETACH = 2
NO_SUCH_FILE, NOT_IMPLEMENTED = 2, 38

# Requests of the kernel; see linux/fuse.h.
LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT = 1, 2, 3, 14, 15, 18, 25, 26
INTERRUPT, BATCH_FORGET = 36, 42
DIRECT_IO = 1


class SlowFile:
    """
    A file whose reads last.

    Args:
        fd: Its descriptor.
        answer: Gives the next read what it waits for, which is `BYTE` again and again.
    """

    def __init__(self, fd: int, answer: Callable[[int], None]) -> None:
        self.fd = fd
        self.answer = answer


@contextmanager
def slow_file(folder: Path) -> Iterator[SlowFile]:
    """
    Give a slow file. Reads that still wait at the end of the block end with it.

    Args:
        folder: An empty folder, for FUSE.
    """
    server = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert server.stdin
    assert server.stdout
    with server.stdin as commands, server.stdout as told:
        if told.readline() != "mounted\n":
            server.wait()
            with pipe_file() as file:
                yield file
            return
        try:
            fd = os.open(folder / "data", os.O_RDONLY)

            def answer_read(_: int) -> None:
                commands.write("\n")

            yield SlowFile(fd, answer_read)
            os.close(fd)
        finally:
            # A read that still waits ends with an error.
            server.kill()
            server.wait()
            ctypes.CDLL(None).umount2(os.fsencode(folder), DETACH)


@contextmanager
def pipe_file() -> Iterator[SlowFile]:
    """
    Give a slow file that is a pipe.
    """
    source, target = os.pipe()

    def answer_read(size: int) -> None:
        os.write(target, BYTE * size)

    try:
        yield SlowFile(source, answer_read)
    finally:
        os.close(target)
        os.close(source)


def attributes(node: int) -> bytes:
    """
    Describe the folder, which is node 1, or the file in it.
    """
    mode, size = (0o40755, 0) if node == 1 else (0o100444, SIZE)
    times = (0,) * 7
    return struct.pack(
        "<6Q10I", node, size, *times, mode, 1, *(0, 0, 0), mmap.PAGESIZE, 0
    )


class Refused(Exception):
    """
    A request that fails, with its error number.
    """


def answer(request: int, node: int, body: bytes) -> bytes:
    """
    Answer a request of the kernel. A read waits for a line of input.
    """
    if request == INIT:
        limits = struct.pack(
            "<4I2H2I2HI", 7, 31, 1 << 16, 0, 16, 12, 1 << 20, 1, 256, 0, 0
        )
        return limits + bytes(28)
    if request == LOOKUP and body == b"data\0":
        return struct.pack("<4Q2I", 2, 0, 1, 1, 0, 0) + attributes(2)
    if request == LOOKUP:
        raise Refused(NO_SUCH_FILE)
    if request == GETATTR:
        return struct.pack("<Q2I", 1, 0, 0) + attributes(node)
    if request == OPEN:
        return struct.pack("<Q2I", 1, DIRECT_IO, 0)
    if request == READ:
        sys.stdin.readline()
        return BYTE * int(struct.unpack_from("<QQI", body)[2])
    if request in (RELEASE, FLUSH):
        return b""
    raise Refused(NOT_IMPLEMENTED)


def serve(folder: str) -> None:
    """
    Mount the file system, say so, and answer the kernel until this process is killed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fd},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
    if libc.mount(b"slow", folder.encode(), b"fuse", 0, options.encode()):
        raise OSError(ctypes.get_errno(), "FUSE cannot be mounted")
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    while True:
        message = os.read(fd, 2 << 20)
        length, request, unique, node = struct.unpack_from("<IIQQ", message)
        if request in (FORGET, BATCH_FORGET, INTERRUPT):
            continue
        try:
            error, data = 0, answer(request, node, message[40:length])
        except Refused as refused:
            error, data = -refused.args[0], b""
        os.write(fd, struct.pack("<IiQ", 16 + len(data), error, unique) + data)


if __name__ == "__main__":
    try:
        serve(sys.argv[1])
    except OSError as error:
        sys.exit(f"no FUSE here: {error}")
