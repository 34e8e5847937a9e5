"""
Threads of one process share a mapping, unless one of them has to write for itself.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.memory.files import Access, MemoryFile, open_shared
from duck_jupyter.memory.mapping_cache import LEAST_BYTES, drop_idle, lend
from duck_jupyter.memory.shared_mappings import lend_first, map_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duck_jupyter.memory.files import SharedFile

SIZE = LEAST_BYTES + 100


@pytest.fixture
def file() -> Iterator[MemoryFile]:
    made = MemoryFile(SIZE, [(0, memoryview(b"x" * SIZE))])
    yield made
    made.close()
    drop_idle()


def use(file: MemoryFile, make: Callable[[SharedFile], Any]) -> Any:
    with open_shared(file.key) as shared:
        return make(shared)


def read(file: SharedFile) -> Any:
    return map_once(file, Access.READ)


def write(file: SharedFile) -> Any:
    return map_once(file, Access.SHARED)


def in_threads(job: Callable[[], Any], count: int = 8) -> list[Any]:
    """
    Call a function in several threads at once, and give what it returned.
    """
    ready, found = threading.Barrier(count), []

    def run() -> None:
        ready.wait(10)
        found.append(job())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found


@pytest.mark.parametrize("make", [read, write])
def test_a_file_is_mapped_once_for_all(
    file: MemoryFile, make: Callable[[SharedFile], Any]
) -> None:
    found = in_threads(lambda: use(file, make))
    assert len(found) == 8
    assert all(each is found[0] for each in found)
    assert file.is_mapped


def test_what_nobody_uses_is_not_mapped(file: MemoryFile) -> None:
    view = use(file, read)
    other = use(file, read)
    del view
    assert file.is_mapped
    assert other[:1] == b"x"
    del other
    assert not file.is_mapped


def test_reading_and_writing_are_two_mappings(file: MemoryFile) -> None:
    seen, written = use(file, read), use(file, write)
    written[0:1] = b"y"
    assert seen[:1] == file.map[:1] == b"y"
    with pytest.raises(TypeError):
        seen[0:1] = b"z"


def test_only_the_first_user_may_write(file: MemoryFile) -> None:
    found = in_threads(lambda: use(file, lend_first))
    views = sorted((memoryview(each) for each in found), key=lambda x: x.readonly)
    first, *others = views
    assert not first.readonly
    assert all(each.readonly for each in others)
    assert len({id(each.obj) for each in others}) == 1
    first.cast("B")[0] = ord("y")
    assert {each[0] for each in others} == {ord("x")}
    del found, views, first, others
    assert not memoryview(use(file, lend_first)).readonly


def test_other_users_of_private_memory_count_too(file: MemoryFile) -> None:
    before = use(file, lend)
    assert memoryview(use(file, lend_first)).readonly
    del before
    assert not memoryview(use(file, lend_first)).readonly


def test_two_files_have_nothing_in_common(file: MemoryFile) -> None:
    other = MemoryFile(SIZE, [(0, memoryview(b"o" * SIZE))])
    one, two = use(file, lend_first), use(other, lend_first)
    assert not memoryview(one).readonly
    assert not memoryview(two).readonly
    assert use(file, read)[:1] == b"x"
    assert use(other, read)[:1] == b"o"
    del one, two
    other.close()


class Held:
    """
    A file whose mapping ends when the test says so.
    """

    identity = (0, 0, 0)

    def __init__(self) -> None:
        self.began = threading.Event()
        self.end = threading.Event()

    def map(self, access: int) -> bytearray:
        self.began.set()
        assert self.end.wait(10)
        return Weakly(access)


class Weakly(bytearray):
    """
    Memory that can be referred to weakly, as that of a mapping.
    """


def test_a_forked_child_maps_while_a_thread_of_its_parent_does(
    file: MemoryFile,
) -> None:
    held: Any = Held()
    thread = threading.Thread(target=map_once, args=(held, Access.READ))
    thread.start()
    assert held.began.wait(10)
    with open_shared(file.key) as shared:
        pid = os.fork()
        if pid == 0:  # in the child
            os._exit(map_once(shared, Access.READ)[0] - ord("x"))
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        held.end.set()
        thread.join()
