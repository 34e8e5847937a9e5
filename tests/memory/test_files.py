"""
Files of memory: found by their key, locked while they are mapped, and nothing else.
"""

from __future__ import annotations

import mmap
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import DataTooBigError
from duck_jupyter.memory import files
from duck_jupyter.memory.files import (
    Access,
    FileKey,
    MemoryFile,
    open_shared,
)
from tests.support.processes import wait_until
from tests.support.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZE = 3 * mmap.PAGESIZE + 100
#: What the worker keeps of one test.
_kept: dict[str, Any] = {}


def file_of(data: bytes = b"x" * SIZE) -> MemoryFile:
    return MemoryFile(len(data), [(0, memoryview(data))])


@pytest.fixture
def file() -> Iterator[MemoryFile]:
    made = file_of()
    yield made
    made.close()


@pytest.fixture
def second() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


def hold(key: FileKey, access: int = Access.COPY, name: str = "map") -> int:
    with open_shared(key) as shared:
        _kept[name] = shared.map(access)
    return os.getpid()


def read(start: int = 0, end: int | None = None, name: str = "map") -> bytes:
    return bytes(_kept[name][start:end])


def write(at: int, data: bytes, name: str = "map") -> None:
    _kept[name][at : at + len(data)] = data


def drop(name: str = "map") -> None:
    _kept.pop(name).close()


def look(key: FileKey) -> None:
    open_shared(key).__exit__()


def test_another_process_maps_a_file_by_its_key(
    file: MemoryFile, worker: Worker
) -> None:
    worker.run(hold, file.key)
    assert worker.run(read) == b"x" * SIZE
    worker.run(drop)


def test_a_copy_is_written_to_in_one_process_alone(
    file: MemoryFile, worker: Worker
) -> None:
    worker.run(hold, file.key, Access.COPY)
    worker.run(write, 5000, b"mine")
    assert worker.run(read, 5000, 5004) == b"mine"
    assert file.map[5000:5004] == b"xxxx"
    worker.run(drop)


def test_a_shared_mapping_is_seen_from_both_sides(
    file: MemoryFile, worker: Worker
) -> None:
    worker.run(hold, file.key, Access.SHARED)
    worker.run(write, 5000, b"ours")
    assert file.map[5000:5004] == b"ours"
    file.map[:4] = b"back"
    assert worker.run(read, 0, 4) == b"back"
    worker.run(drop)


def test_what_is_only_read_refuses_to_be_written_to(
    file: MemoryFile, worker: Worker
) -> None:
    worker.run(hold, file.key, Access.READ)
    with pytest.raises(TypeError, match="readonly"):
        worker.run(write, 0, b"no")
    worker.run(drop)


def test_a_file_is_locked_as_long_as_it_is_mapped(
    file: MemoryFile, worker: Worker
) -> None:
    assert not file.is_mapped
    with open_shared(file.key) as shared:
        assert file.is_mapped  # from before the descriptor is read
        view = shared.map(Access.COPY)
    assert file.is_mapped
    view.close()
    assert not file.is_mapped


@pytest.mark.slow
def test_several_processes_map_a_file_and_the_last_one_counts(
    file: MemoryFile, worker: Worker, second: Worker
) -> None:
    worker.run(hold, file.key)
    second.run(hold, file.key)
    second.run(hold, file.key, Access.READ, "more")
    worker.run(drop)
    assert file.is_mapped
    second.run(drop)
    assert file.is_mapped
    second.run(drop, "more")
    assert not file.is_mapped


def test_a_worker_that_is_killed_holds_no_lock(
    file: MemoryFile, second: Worker
) -> None:
    os.kill(second.run(hold, file.key), signal.SIGKILL)
    assert wait_until(lambda: not file.is_mapped)


@contextmanager
def child(work: Callable[[], object]) -> Iterator[int]:
    """
    Fork a child that does some work, says so, and waits for the end of the block.
    """
    told, telling = os.pipe()
    waiting, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(end)
            work()
            os.write(telling, b"1")
            os.read(waiting, 1)
            code = 0
        finally:
            os._exit(code)
    os.close(telling)
    os.close(waiting)
    try:
        assert os.read(told, 1) == b"1"
        yield pid
    finally:
        os.close(told)
        os.close(end)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_forked_child_of_a_worker_keeps_the_lock(file: MemoryFile) -> None:
    with open_shared(file.key) as shared:
        view = shared.map(Access.COPY)
    with child(lambda: view[0]):
        view.close()
        assert file.is_mapped
    assert not file.is_mapped


def test_a_program_that_is_executed_instead_has_no_lock(file: MemoryFile) -> None:
    end, far_end = os.pipe()
    started, starting = os.pipe()
    code = "import os; os.write(1, b'1'); os.read(0, 1)"
    pid = os.fork()
    if pid == 0:
        with open_shared(file.key) as shared:
            view = shared.map(Access.COPY)
        assert view[0] == ord("x")
        os.close(far_end)
        os.dup2(end, 0)
        os.dup2(starting, 1)
        os.execv(sys.executable, [sys.executable, "-S", "-c", code])
    os.close(end)
    os.close(starting)
    assert os.read(started, 1) == b"1"
    assert not file.is_mapped
    os.close(far_end)
    os.close(started)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def descriptors_of(file: MemoryFile) -> list[str]:
    """
    List the descriptors and mappings that this process has of a file.
    """
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            at = link.stat()
        except OSError:  # the one that lists them
            continue
        if (at.st_dev, at.st_ino) == (file.key.device, file.key.inode):
            found.append(link.name)
    lines = Path("/proc/self/maps").read_text().splitlines()
    return found + [line for line in lines if line.split()[4] == str(file.key.inode)]


def test_a_forked_child_of_the_maker_has_nothing_of_it(file: MemoryFile) -> None:
    assert len(descriptors_of(file)) >= 2

    def check() -> None:
        assert descriptors_of(file) == []

    with child(check):
        assert not file.is_mapped
    assert file.map[0] == ord("x")


def test_a_child_forked_while_a_file_is_written_has_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writing, forked = threading.Event(), threading.Event()
    fds: list[int] = []

    def write_pieces(fd: int, pieces: Any) -> None:
        os.pwrite(fd, b"a", 0)
        fds.append(fd)
        writing.set()
        assert forked.wait(10)

    monkeypatch.setattr(files, "write_pieces", write_pieces)
    made: list[MemoryFile] = []
    thread = threading.Thread(target=lambda: made.append(MemoryFile(1, [])))
    thread.start()
    assert writing.wait(10)

    def check() -> None:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fds[0])

    with child(check):
        forked.set()
        thread.join()
    assert made[0].map[0] == ord("a")
    made[0].close()


def test_a_closed_file_stays_valid_for_who_maps_it(worker: Worker) -> None:
    file = file_of(b"kept" * 4000)
    worker.run(hold, file.key)
    file.close()
    file.close()
    assert repr(file) == "<MemoryFile 16000 bytes, closed>"
    assert worker.run(read) == b"kept" * 4000
    with pytest.raises(FileNotFoundError):
        worker.run(look, file.key)
    worker.run(drop)


def test_a_file_that_nobody_names_any_more_is_closed() -> None:
    file = file_of()
    key = file.key
    assert repr(file) == f"<MemoryFile {SIZE} bytes, fd={key.fd}>"
    del file
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(key.fd)


def test_a_file_that_does_not_fit_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(DataTooBigError):
        MemoryFile(2**60, [])

    def interrupt(fd: int, pieces: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "write_pieces", interrupt)
    with pytest.raises(KeyboardInterrupt):
        MemoryFile(10, [])
    monkeypatch.setattr(files, "write_pieces", lambda fd, pieces: None)
    with pytest.raises(ValueError, match="mmap length"):
        MemoryFile(10, [])  # nothing was written, so there is nothing to map
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_to_ask_whether_a_file_is_mapped_costs_next_to_nothing(
    file: MemoryFile,
) -> None:
    start = time.perf_counter()
    for _ in range(1000):
        assert not file.is_mapped
    assert time.perf_counter() - start < 0.5
