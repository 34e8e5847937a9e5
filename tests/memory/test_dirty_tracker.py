"""
Every write to memory that is watched is noted, whoever makes it.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from duck_jupyter.memory.dirty_tracker import Part, Watcher, notes
from tests.memory.watched import (
    SIZE,
    SMALL,
    ask,
    is_at_rest,
    is_edges,
    make_array,
    suspected,
    watched,
)
from tests.support.processes import run_python

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.uint8]

LIBC = ctypes.CDLL(None)
FAR = 3 << 20
DONT_NEED = 4


def write_first(array: Array) -> int:
    """
    Write to the first byte.
    """
    array[0] = 7
    return 0


def write_last(array: Array) -> int:
    """
    Write to the last byte.
    """
    array[-1] = 7
    return SIZE - 1


def write_same(array: Array) -> int:
    """
    Write what is there already.
    """
    array[FAR] = array[FAR]
    return FAR


def write_through_view(array: Array) -> int:
    """
    Write through another array on the same memory.
    """
    array.view(np.float64).reshape(-1, 1024)[:, 5:6][FAR // 8192][...] = 1.5
    return FAR + 40


def write_with_memset(array: Array) -> int:
    """
    Write in C.
    """
    ctypes.memset(array.ctypes.data + FAR, 9, 10)
    return FAR


def write_in_thread(array: Array) -> int:
    """
    Write in another thread.
    """
    thread = threading.Thread(target=write_last, args=(array,))
    thread.start()
    thread.join()
    return SIZE - 1


def receive(array: Array) -> int:
    """
    Let the kernel write what comes from a socket.
    """
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"12345")
        assert here.recv_into(array.data[FAR : FAR + 5]) == 5
    return FAR


def read_pipe(array: Array) -> int:
    """
    Let the kernel write what comes from a pipe, to two places at once.
    """
    source, target = os.pipe()
    os.write(target, b"12345")
    parts = [array.data[:2], array.data[FAR : FAR + 3]]
    assert os.readv(source, parts) == 5
    os.close(source)
    os.close(target)
    return FAR


def give_back(array: Array) -> int:
    """
    Give pages back to the system: they read as zeros.
    """
    address = -(-(array.ctypes.data + FAR) // 4096) * 4096
    assert not LIBC.madvise(ctypes.c_void_p(address), 8192, DONT_NEED)
    assert array[address - array.ctypes.data] == 0
    return address - array.ctypes.data


def give_back_unread(array: Array) -> int:
    """
    Give much back to the system, with all that one page table speaks of.
    """
    huge = 2 << 20
    address = -(-(array.ctypes.data + FAR) // huge) * huge
    assert not LIBC.madvise(ctypes.c_void_p(address), huge, DONT_NEED)
    return address - array.ctypes.data + huge // 2


WRITES: list[Callable[[Array], int]] = [
    write_first,
    write_last,
    write_same,
    write_through_view,
    write_with_memset,
    write_in_thread,
    receive,
    read_pipe,
    give_back,
    give_back_unread,
]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_a_write_is_noted(write: Callable[[Array], int]) -> None:
    array = make_array()
    watcher = watched(array)
    at = write(array)
    assert suspected(watcher, array)(at)
    # Until it was found known, it stays so.
    assert suspected(watcher, array)(at)
    if watcher.is_watching:
        assert is_at_rest(watcher, array)
        at = write(array)
        assert suspected(watcher, array)(at)


def test_a_file_read_into_it_is_noted(tmp_path: Path) -> None:
    array = make_array()
    watcher = watched(array)
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with path.open("rb", buffering=0) as file:
        assert file.readinto(array.data[FAR:]) == 3
    assert suspected(watcher, array)(FAR)


def test_only_what_was_written_to_is_suspect() -> None:
    array = make_array()
    watcher = watched(array)
    array[FAR] = 2
    is_suspect = suspected(watcher, array)
    assert is_suspect(FAR)
    assert not is_suspect(FAR + (1 << 16))
    assert not is_suspect(FAR - (1 << 16))


def test_what_is_read_is_not_suspect() -> None:
    array = make_array()
    watcher = watched(array)
    assert int(array.sum()) == SIZE
    assert is_edges(ask(watcher, array))


def test_pages_that_were_never_touched_are_noted_too() -> None:
    array = np.zeros(SIZE, np.uint8)
    watcher = watched(array)
    array[FAR] = 1
    assert suspected(watcher, array)(FAR)


def test_much_that_was_written_to_ends_the_watch() -> None:
    array = make_array()
    watcher = watched(array)
    array[: SIZE // 4] = 3
    assert ask(watcher, array) is None
    assert not watcher.is_watching


def test_what_is_written_to_again_and_again_is_watched_less_and_less() -> None:
    array = make_array()
    watcher = watched(array)
    waits = []
    for _ in range(3):
        array += 1
        assert ask(watcher, array) is None
        count = 0
        while not watcher.is_watching:
            ask(watcher, array)
            count += 1
        waits.append(count)
    assert waits[0] < waits[1] < waits[2]


def is_all_of(parts: list[Part] | None, *arrays: Array) -> bool:
    """
    Tell whether nothing is left out of what is to be compared.
    """
    if parts is None:
        return True
    return sum(part.size for part in parts) == sum(array.nbytes for array in arrays)


def test_another_array_is_compared() -> None:
    array, other = make_array(), make_array()
    watcher = watched(array)
    assert is_all_of(ask(watcher, other), other)
    assert is_all_of(ask(watcher, array), array)


def test_a_part_of_the_array_is_compared() -> None:
    array = make_array()
    watcher = watched(array)
    part = array[: SIZE // 2]
    assert is_all_of(ask(watcher, part), part)


def test_arrays_in_another_order_are_compared() -> None:
    first, second = make_array(), make_array()
    watcher = watched(first, second)
    assert is_all_of(ask(watcher, second, first), first, second)


def test_one_of_several_arrays_is_suspect() -> None:
    first, second = make_array(), make_array()
    watcher = watched(first, second)
    second[0] = 5
    parts = ask(watcher, first, second)
    assert parts is not None
    large = [part for part in parts if part.size >= SMALL]
    assert not large or {part.number for part in large} == {1}


def test_small_buffers_are_always_compared() -> None:
    array, small = make_array(), bytearray(5000)
    watcher = watched(array, small)
    small[3] = 1
    assert Part(1, 0, 5000) in (ask(watcher, array, small) or [])


def test_small_buffers_alone_are_not_watched() -> None:
    watcher, small = Watcher(notes), make_array(1 << 19)
    for _ in range(10):
        assert ask(watcher, small) is None
    assert not watcher.is_watching


def test_memory_that_came_again_at_the_same_place_is_compared() -> None:
    found = 0
    for _ in range(50):
        array = make_array()
        address = array.ctypes.data
        watcher = watched(array)
        del array
        array = np.zeros(SIZE, np.uint8)
        if array.ctypes.data == address:
            found += 1
            assert suspected(watcher, array)(FAR)
        watcher.stop()
        del array
        if found == 3:
            break
    assert found, "the allocator never gave the same memory again"


@pytest.mark.slow
def test_memory_that_the_kernel_moved_is_compared() -> None:
    code = """
import ctypes, numpy as np
from tests.memory.watched import ask, watched
libc = ctypes.CDLL(None)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
def new(size):
    return libc.mmap(None, ctypes.c_size_t(size), 3, 0x22, -1, ctypes.c_long(0))
def at(address, size):
    return (ctypes.c_uint8 * size).from_address(address)
size = 8 << 20
here, there = new(size), new(size)
ctypes.memset(here, 1, size); ctypes.memset(there, 2, size)
first = watched(at(here, size))
second = watched(at(there, size))
# What is there goes to here, with all that the page tables know of it.
moved = libc.mremap(ctypes.c_void_p(there), ctypes.c_size_t(size),
    ctypes.c_size_t(size), 3, ctypes.c_void_p(here))
assert moved == here
assert at(here, size)[5] == 2
assert ask(first, at(here, size)) is None
print("compared")
"""
    done = run_python(code)
    assert done.stdout == "compared\n", done.stderr


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Part(0, 10, 20), Part(0, 15, 30), Part(0, 15, 15)),
        (Part(0, 10, 20), Part(0, 0, 100), Part(0, 10, 20)),
        (Part(0, 10, 20), Part(0, 30, 5), None),
        (Part(0, 10, 20), Part(1, 10, 20), None),
    ],
)
def test_a_part_within_another_is_what_both_have(
    one: Part, other: Part, both: Part | None
) -> None:
    assert one.within(other) == both
    assert other.within(one) == both
