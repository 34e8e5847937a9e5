"""
What is watched: memory of this process alone, by one watcher, where the system can.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import tempfile
import threading
from multiprocessing import shared_memory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.memory.dirty_tracker import PageNotes, Watcher, notes
from duck_jupyter.memory.private_memory import is_private
from duck_jupyter.memory.userfaultfd import PageRange, pages_within
from tests.memory.watched import (
    SIZE,
    ask,
    is_at_rest,
    is_edges,
    make_array,
    spans_of,
    suspected,
    watched,
)
from tests.support.processes import run_python

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.uint8]

FAR = 3 << 20
IO_URING_SETUP = 425


def is_never_watched(buffer: Any) -> bool:
    """
    Tell whether all of a buffer is to be compared however often it was unchanged.
    """
    watcher = Watcher(notes)
    return all(ask(watcher, buffer) is None for _ in range(20))


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_a_file_is_never_watched(tmp_path: Path, mode: Any) -> None:
    path = tmp_path / "numbers"
    make_array().tofile(path)
    mapped: Array = np.memmap(path, np.uint8, mode)
    assert is_never_watched(np.asarray(mapped))


@pytest.mark.parametrize("access", [mmap.ACCESS_WRITE, mmap.ACCESS_COPY])
def test_a_file_of_memory_is_never_watched(access: int) -> None:
    with tempfile.TemporaryFile(dir="/dev/shm") as file:
        file.truncate(SIZE)
        mapped = mmap.mmap(file.fileno(), SIZE, access=access)
    assert is_never_watched(mapped)


def test_shared_memory_is_never_watched() -> None:
    block = shared_memory.SharedMemory(create=True, size=SIZE)
    try:
        assert is_never_watched(block.buf)
    finally:
        block.close()
        block.unlink()


def test_anonymous_memory_that_forks_share_is_never_watched() -> None:
    assert is_never_watched(mmap.mmap(-1, SIZE))


def test_private_anonymous_memory_is_watched() -> None:
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    assert watched(mmap.mmap(-1, SIZE, flags=private)).is_watching


def test_pages_beside_a_file_do_not_make_it_private(tmp_path: Path) -> None:
    array = make_array()
    path = tmp_path / "numbers"
    array.tofile(path)
    mapped = np.memmap(path, np.uint8, "r")
    own, foreign = (pages_within(*spans_of(np.asarray(x))[0]) for x in (array, mapped))
    assert is_private([own])
    assert not is_private([foreign])
    assert not is_private(sorted([own, foreign]))
    assert not is_private([PageRange(own.start, foreign.end + (1 << 40))])


def test_nothing_is_watched_while_the_kernel_shares_a_ring_for_reads() -> None:
    array = make_array()
    watcher = watched(array)
    libc = ctypes.CDLL(None, use_errno=True)
    setup, destroy = {"x86_64": (206, 207), "aarch64": (0, 1)}[platform.machine()]
    ring = ctypes.c_ulong(0)
    assert not libc.syscall(setup, 8, ctypes.byref(ring))
    try:
        # Handed to the kernel, pages are written to; that is when it is asked.
        array[FAR] = 2
        assert ask(watcher, array) is None
        assert is_never_watched(array)
    finally:
        assert not libc.syscall(destroy, ring)
    assert watched(array).is_watching


def test_nothing_is_watched_while_a_ring_is_open() -> None:
    """
    A kernel that refuses rings has none, and goes on watching.
    """
    array = make_array()
    watcher = watched(array)
    ring = ctypes.CDLL(None).syscall(
        IO_URING_SETUP, 2, ctypes.create_string_buffer(120)
    )
    array[FAR] = 2
    if ring >= 0:
        try:
            assert ask(watcher, array) is None
            assert is_never_watched(array)
        finally:
            os.close(ring)
    assert is_at_rest(watcher, array)
    assert watcher.is_watching


@pytest.mark.parametrize(
    ("target", "expected"), [("anon_inode:[io_uring]", False), ("/dev/null", True)]
)
def test_a_ring_is_told_by_its_descriptor(
    tmp_path: Path, target: str, expected: bool
) -> None:
    pages = pages_within(*spans_of(array := make_array())[0])
    for name, link in (("0", "socket:[1]"), ("7", target), ("9", "/dev/null")):
        (tmp_path / name).symlink_to(link)
    assert is_private([pages], str(tmp_path)) is expected
    with pytest.raises(FileNotFoundError):
        is_private([pages], str(tmp_path / "missing"))
    assert len(array) == SIZE


def test_one_watcher_does_not_hide_writes_from_another() -> None:
    array = make_array()
    first = watched(array)
    second = Watcher(notes)
    for _ in range(5):
        assert ask(second, array) is None
    assert not second.is_watching
    array[FAR] = 2
    ask(second, array)
    assert suspected(first, array)(FAR)


def test_a_view_of_what_is_watched_is_not_watched_too() -> None:
    array = make_array()
    first = watched(array)
    part = array[FAR : FAR + (4 << 20)]
    assert is_never_watched(part)
    part[0] = 9
    assert is_never_watched(part)
    assert suspected(first, array)(FAR)


def test_what_is_watched_no_more_another_may_watch() -> None:
    array = make_array()
    first = watched(array)
    first.stop()
    second = watched(array)
    array[FAR] = 2
    assert suspected(second, array)(FAR)
    assert suspected(first, array)(FAR)


def test_a_watch_whose_memory_is_gone_is_in_nobodys_way() -> None:
    array = make_array()
    address = array.ctypes.data
    first = watched(array)
    for _ in range(50):
        del array
        array = make_array()
        if array.ctypes.data == address:
            break
    assert array.ctypes.data == address, "the allocator never gave it again"
    second = watched(array)
    assert ask(first, array) is None
    array[FAR] = 2
    assert suspected(second, array)(FAR)


@pytest.mark.slow
def test_threads_that_ask_at_once_miss_no_write() -> None:
    arrays = [make_array(4 << 20) for _ in range(3)]
    watchers = [watched(array) for array in arrays]
    missed: list[int] = []

    def write_and_ask(array: Array, watcher: Watcher) -> None:
        for at in range(0, 4 << 20, 50_021):
            array[at] += 1
            if not suspected(watcher, array)(at):
                missed.append(at)
            watcher.found(spans_of(array), same=False)

    threads = [
        threading.Thread(target=write_and_ask, args=pair)
        for pair in zip(arrays, watchers, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not missed


def test_a_fork_leaves_the_watch_of_its_parent_alone() -> None:
    array = make_array()
    watcher = watched(array)
    array[FAR] = 2
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            # Nothing is known here, and what is asked here tells the parent nothing.
            is_unknown = ask(watcher, array) is None and not watcher.is_watching
            array[2 * FAR] = 3
            status = 0 if is_unknown else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    is_suspect = suspected(watcher, array)
    assert is_suspect(FAR)
    assert not is_suspect(2 * FAR)
    array[2 * FAR] = 4
    assert suspected(watcher, array)(2 * FAR)


def test_a_fork_compares_since_its_parent_may_be_reading() -> None:
    array = make_array()
    watcher = watched(array)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if is_never_watched(array) and notes.refused else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert is_edges(ask(watcher, array))


def test_a_system_that_refuses_is_asked_once_and_compared() -> None:
    asked = []

    def refuse() -> int:
        asked.append(1)
        raise OSError(errno.EPERM, "Operation not permitted")

    refused = PageNotes(refuse)
    watcher, array = Watcher(refused), make_array()
    for _ in range(20):
        assert ask(watcher, array) is None
    assert asked == [1]
    assert "not permitted" in refused.refused
    assert not notes.refused


def test_a_container_that_forbids_the_call_goes_on_comparing() -> None:
    code = """
import ctypes, platform, struct
from duck_jupyter.memory.userfaultfd import SYSTEM_CALL
number = SYSTEM_CALL[platform.machine()]
# Load the number of the call; forbid that one with EPERM, and allow the others.
program = b"".join(struct.pack("HBBI", *step) for step in (
    (0x20, 0, 0, 0), (0x15, 0, 1, number),
    (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)))
kept = ctypes.create_string_buffer(program)
class Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_void_p))
found = Filter(4, ctypes.addressof(kept))
libc = ctypes.CDLL(None, use_errno=True)
assert not libc.prctl(38, 1, 0, 0, 0)
assert not libc.prctl(22, 2, ctypes.byref(found)), ctypes.get_errno()
from duck_jupyter.memory.dirty_tracker import Watcher, notes
from tests.memory.watched import ask, make_array
watcher, array = Watcher(notes), make_array()
assert all(ask(watcher, array) is None for _ in range(10))
print(notes.refused)
"""
    done = run_python(code)
    assert "Operation not permitted" in done.stdout, done.stderr


@pytest.mark.slow
def test_a_page_that_changes_each_time_does_not_end_the_watch() -> None:
    array = make_array()
    watcher = watched(array)
    for at in range(0, 40):
        array[at * 4096] += 1
        assert ask(watcher, array) is not None
    assert watcher.is_watching
