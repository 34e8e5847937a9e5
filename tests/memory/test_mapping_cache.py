"""
Mappings are used again when nobody uses them, and never a moment before.
"""

from __future__ import annotations

import copy
import ctypes
import gc
import mmap
import os
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.memory import mapping_cache
from duck_jupyter.memory.copying import address_of
from duck_jupyter.memory.files import Access, MemoryFile, open_shared
from duck_jupyter.memory.mapping_cache import IDLE_S, LEAST_BYTES, drop_idle, lend
from tests.support.processes import run_python, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = LEAST_BYTES + 100


def file_of(letter: bytes = b"x", size: int = SIZE) -> MemoryFile:
    return MemoryFile(size, [(0, memoryview(letter * size))])


@pytest.fixture
def file() -> Iterator[MemoryFile]:
    made = file_of()
    yield made
    made.close()
    drop_idle()
    assert wait_until(lambda: not is_tidying())


def borrow(file: MemoryFile) -> Any:
    with open_shared(file.key) as shared:
        return memoryview(lend(shared)).cast("B")


def is_tidying() -> bool:
    return mapping_cache._tidying.locked()


def maps_of(file: MemoryFile) -> int:
    """
    Count the mappings of a whole file, the maker's own among them.
    """
    inode = str(os.fstat(file.key.fd).st_ino)
    lines = [
        line.split()
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.split()[4] == inode
    ]
    sizes = [[int(end, 16) for end in fields[0].split("-")] for fields in lines]
    return sum(end - start > mmap.PAGESIZE for start, end in sizes)


def own_bytes(address: int) -> int:
    """
    Tell how much of the mapping at an address is this process's own copy.
    """
    text = Path("/proc/self/smaps").read_text()
    area = text[text.index(f"\n{address:x}-") :]
    at = area.index("\nAnonymous:")
    return int(area[at:].split()[1]) << 10


def test_the_next_one_gets_the_mapping_of_the_last(file: MemoryFile) -> None:
    view = borrow(file)
    address = address_of(view)
    assert file.is_mapped
    del view
    assert not file.is_mapped
    assert address_of(borrow(file)) == address
    assert maps_of(file) == 2


def test_what_was_written_is_given_back_at_once_and_never_seen(
    file: MemoryFile,
) -> None:
    view = borrow(file)
    address = address_of(view)
    view[0] = view[SIZE - 1] = view[1 << 20] = 1
    view[2 << 20 : 3 << 20] = bytes(1 << 20)
    assert own_bytes(address) > 1 << 20
    del view
    assert own_bytes(address) == 0
    view = borrow(file)
    assert address_of(view) == address
    assert view == b"x" * SIZE
    assert file.map[:] == b"x" * SIZE


def test_what_is_written_here_and_there_is_too_much_to_look_for(
    file: MemoryFile,
) -> None:
    view = borrow(file)
    for at in range(0, SIZE, 2 * mmap.PAGESIZE):
        view[at] = 1
    del view
    assert maps_of(file) == 1
    assert borrow(file) == b"x" * SIZE


def test_a_file_that_is_rewritten_meanwhile_shows_through(file: MemoryFile) -> None:
    view = borrow(file)
    view[5] = 1
    assert view[7] == ord("x")
    address = address_of(view)
    del view
    file.map[:] = b"y" * SIZE
    view = borrow(file)
    assert address_of(view) == address
    assert view == b"y" * SIZE


def test_whatever_refers_to_it_keeps_it(file: MemoryFile) -> None:
    view = borrow(file)
    part: Any = view[100:200]
    address = address_of(view)
    del view
    part[0] = 1
    other = borrow(file)
    assert address_of(other) != address
    assert other[100] == ord("x")
    del other
    gc.collect()
    assert file.is_mapped
    assert part.tobytes() == b"\1" + b"x" * 99
    del part
    assert not file.is_mapped


class Late:
    """
    Part of a cycle, and looks at the memory when that is collected.
    """

    def __init__(self, view: Any, told: list[Any]) -> None:
        self.me = self
        self.view = view
        self.told = told

    def __del__(self) -> None:
        gc.collect()
        self.told.append(self.view[3])
        self.told.append(self.view)  # and it lives on


def test_a_finalizer_in_a_cycle_still_has_it(file: MemoryFile) -> None:
    view = borrow(file)
    view[3] = 77
    told: list[Any] = []
    late = Late(view, told)
    del view, late
    gc.collect()
    assert told[0] == 77
    assert file.is_mapped
    other = borrow(file)
    assert address_of(other) != address_of(told[1])
    assert told[1][3] == 77
    del other
    told.clear()
    gc.collect()
    assert not file.is_mapped


def test_a_cycle_without_a_finalizer_lets_go_when_it_is_collected(
    file: MemoryFile,
) -> None:
    cycle: list[Any] = [borrow(file)]
    cycle.append(cycle)
    cycle[0][3] = 77
    del cycle
    gc.collect()
    assert not file.is_mapped
    assert maps_of(file) == 1
    assert borrow(file)[3] == ord("x")


def test_a_copy_of_a_window_ends_no_lease(file: MemoryFile) -> None:
    view = borrow(file)
    view[0] = 7
    lease = view.obj.lease
    copied = copy.deepcopy(lease)
    del lease, copied
    assert file.is_mapped
    assert view[0] == 7
    assert len(mapping_cache._Lease.lent) == 1


@pytest.mark.slow
def test_an_idle_mapping_goes_within_its_time_and_its_thread_with_it(
    file: MemoryFile,
) -> None:
    borrow(file)
    assert maps_of(file) == 2
    assert is_tidying()
    assert wait_until(lambda: maps_of(file) == 1, 3 * IDLE_S)
    assert wait_until(lambda: not is_tidying(), 3 * IDLE_S)


def test_no_more_than_a_few_are_kept(file: MemoryFile) -> None:
    files = [file_of(bytes([65 + at])) for at in range(mapping_cache.MOST_IDLE + 2)]
    for one in files:
        borrow(one)
    assert len(mapping_cache._idle) == mapping_cache.MOST_IDLE
    kept = [maps_of(one) == 2 for one in files]
    assert kept == [False] * 2 + [True] * mapping_cache.MOST_IDLE
    # Those that do not fit stay, in their order.
    assert borrow(files[3])[0] == 65 + 3
    for one in files:
        one.close()


def test_a_small_file_is_mapped_anew(file: MemoryFile) -> None:
    small = file_of(size=LEAST_BYTES - 1)
    with open_shared(small.key) as shared:
        view = lend(shared)
    assert isinstance(view, mmap.mmap)
    assert view[:3] == b"xxx"
    small.close()


def test_where_the_system_does_not_tell_no_mapping_is_kept(
    file: MemoryFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(pages: Any) -> Any:
        raise OSError(25, "Inappropriate ioctl for device")

    monkeypatch.setattr(mapping_cache, "private_pages", refuse)
    view = borrow(file)
    view[0] = 1
    del view
    assert maps_of(file) == 1
    assert not file.is_mapped
    assert borrow(file)[0] == ord("x")


def test_where_there_are_no_more_threads_no_mapping_is_kept(
    file: MemoryFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", refuse)
    borrow(file)
    assert maps_of(file) == 1
    assert not is_tidying()


def test_a_file_counts_as_mapped_until_the_last_process_lets_go(
    file: MemoryFile,
) -> None:
    view = borrow(file)
    view[0] = 1
    here, there = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(there)
            os.read(here, 1)
            code = 2 if view[0] == 1 else 3
            view[1] = 2
        finally:
            os._exit(code)
    os.close(here)
    view[0] = 3
    del view
    assert borrow(file)[0] == ord("x")
    assert file.is_mapped
    os.close(there)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
    assert not file.is_mapped


def test_nothing_idle_goes_through_a_fork(file: MemoryFile) -> None:
    borrow(file)
    assert is_tidying()
    pid = os.fork()
    if pid == 0:
        idle = (
            len(mapping_cache._idle)
            + maps_of_inode(file)
            + mapping_cache._tidying.locked()
        )
        os._exit(idle)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert maps_of(file) == 1
    assert not is_tidying()


def maps_of_inode(file: MemoryFile) -> int:
    text = Path("/proc/self/maps").read_text()
    return sum(line.split()[4] == str(file.key.inode) for line in text.splitlines())


def test_threads_never_share_a_mapping(file: MemoryFile) -> None:
    told: list[Any] = []

    def use(number: int) -> None:
        for _ in range(60):
            view = borrow(file)
            told.append(view[:4096] == b"x" * 4096)
            view[number] = number
            part: Any = view[:10]
            del view
            told.append(part.tobytes() == changed(number))

    def changed(number: int) -> bytes:
        return b"x" * number + bytes([number]) + b"x" * (9 - number)

    threads = [threading.Thread(target=use, args=(at,)) for at in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(told) == 4 * 60 * 2
    assert all(told)
    assert len(mapping_cache._idle) <= mapping_cache.MOST_IDLE


def test_a_window_is_what_keeps_the_memory(file: MemoryFile) -> None:
    view = borrow(file)
    window = weakref.ref(view.obj)
    assert isinstance(view.obj, ctypes.Array)
    del view
    assert window() is None


@pytest.mark.parametrize("held", ["", "kept = view"])
def test_python_ends_without_a_word_while_mappings_are_idle_or_used(held: str) -> None:
    code = f"""
from duck_jupyter.memory.files import MemoryFile, open_shared
from duck_jupyter.memory.mapping_cache import lend
file = MemoryFile(8 << 20, [(0, memoryview(b"x" * (8 << 20)))])
class Late:
    def __init__(self, view): self.view = view
    def __del__(self): print(self.view[1])
for _ in range(3):
    with open_shared(file.key) as shared:
        view = memoryview(lend(shared)).cast("B")
    view[0] = 1
    {held}
    late = Late(view)
"""
    ended = run_python(code, timeout=10)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split() == ["120"] * 3


def test_what_is_only_read_is_mapped_as_ever(file: MemoryFile) -> None:
    with open_shared(file.key) as shared:
        view = shared.map(Access.READ)
    assert file.is_mapped
    view.close()
    assert not file.is_mapped
