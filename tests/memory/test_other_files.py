"""
What has the number of a file of memory, and is none, is left alone.
"""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.memory.files import Access, FileKey, MemoryFile, open_shared
from tests.support.processes import start_python

if TYPE_CHECKING:
    from tests.support.workers import Worker


def file_of(data: bytes = b"data") -> MemoryFile:
    return MemoryFile(len(data), [(0, memoryview(data))])


def look(key: FileKey) -> None:
    open_shared(key).__exit__()


def impostor(kind: str, folder: str) -> int:
    """
    Open something else than a file of memory.
    """
    if kind == "file":
        fd, _ = tempfile.mkstemp(dir=folder)
        return fd
    if kind == "pipe":
        reading, writing = os.pipe()
        os.close(writing)
        return reading
    if kind == "socket":
        one, other = socket.socketpair()
        other.close()
        return one.detach()
    if kind == "named pipe":
        os.mkfifo(f"{folder}/pipe")
        return os.open(f"{folder}/pipe", os.O_RDONLY | os.O_NONBLOCK)
    return os.open("/dev/null" if kind == "device" else folder, os.O_RDONLY)


KINDS = ("file", "pipe", "socket", "named pipe", "folder", "device")


@pytest.mark.parametrize("kind", KINDS)
def test_something_else_under_the_same_number_is_refused(
    kind: str, worker: Worker, tmp_path: Path
) -> None:
    file = file_of()
    key = file.key
    file.close()
    other = impostor(kind, str(tmp_path))
    os.dup2(other, key.fd)
    found = os.fstat(key.fd)
    same = FileKey(key.pid, key.fd, found.st_dev, found.st_ino)
    try:
        with pytest.raises(FileNotFoundError, match="is now another file"):
            worker.run(look, key)
        if kind != "file":  # not even if the numbers agree
            with pytest.raises(FileNotFoundError, match="is now another file"):
                worker.run(look, same)
    finally:
        for fd in {other, key.fd}:
            os.close(fd)


@pytest.mark.parametrize("kind", KINDS)
def test_something_else_that_came_between_looking_and_opening_is_refused(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = file_of()
    key = file.key
    found = Path(key.path).stat()
    file.close()
    other = impostor(kind, str(tmp_path))
    os.dup2(other, key.fd)
    monkeypatch.setattr(Path, "stat", lambda _: found)
    before = len(list(Path("/proc/self/fd").iterdir()))
    try:
        with pytest.raises(FileNotFoundError, match="is now another file"):
            open_shared(key)
        assert len(list(Path("/proc/self/fd").iterdir())) == before
    finally:
        for fd in {other, key.fd}:
            os.close(fd)


def test_nonsense_is_no_file() -> None:
    for key in [
        FileKey(2**40, 3, 1, 1),
        FileKey(os.getpid(), -1, 1, 1),
        FileKey(os.getpid(), 2**40, 1, 1),
        FileKey(-1, 0, 1, 1),
        FileKey(0, 0, 0, 0),
    ]:
        with pytest.raises(FileNotFoundError):
            open_shared(key)


def test_a_key_reaches_no_process_that_has_ended() -> None:
    code = (
        "from duck_jupyter.memory.files import MemoryFile\n"
        "file = MemoryFile(3, [(0, memoryview(b'abc'))])\n"
        "print(*file.key, flush=True)\n"
        "input()"
    )
    with start_python(code) as maker:
        assert maker.stdout is not None
        key = FileKey(*map(int, maker.stdout.readline().split()))
        with open_shared(key) as shared:
            view = shared.map(Access.READ)
        maker.kill()
        maker.wait()
        assert view[:] == b"abc"
        with pytest.raises(FileNotFoundError):
            open_shared(key)
