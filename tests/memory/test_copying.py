"""
Comparing, updating and writing: every byte counts, and no thread is left behind.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import tempfile
import threading
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.memory.copying import (
    COMPARE_CHUNK,
    THREADED_BYTES,
    WRITE_CHUNK,
    Span,
    address_of,
    differs,
    update,
    write_pieces,
)
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Around what one thread takes, and around where a second one comes in.
LENGTHS = sorted(
    {
        limit * times + more
        for limit, times in [
            (COMPARE_CHUNK, 1),
            (COMPARE_CHUNK, 2),
            (THREADED_BYTES, 1),
        ]
        for more in (-1, 0, 1)
    }
    | {1, 2, 63, 64, 65, 4095, 4096, 4097, THREADED_BYTES + 3 * COMPARE_CHUNK + 7}
)


def span_of(target: Any, source: Any) -> Span:
    return Span(address_of(target), address_of(source), len(source))


def view_of(array: Any) -> memoryview:
    return memoryview(array)


def edges(length: int) -> list[int]:
    """
    Give the first and the last byte of each chunk.
    """
    starts = range(0, length, COMPARE_CHUNK)
    ends = [min(start + COMPARE_CHUNK, length) - 1 for start in starts]
    return sorted({*starts, *ends})


@pytest.fixture
def file() -> Iterator[int]:
    with tempfile.TemporaryFile() as opened:
        yield opened.fileno()


@pytest.fixture
def four_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)))


@pytest.mark.parametrize("length", LENGTHS)
def test_a_difference_in_the_first_or_last_byte_of_a_chunk_is_found(
    length: int,
) -> None:
    one = np.full(length, 7, np.uint8)
    other = one.copy()
    spans = [span_of(one, other)]
    assert not differs(spans)
    for at in edges(length):
        other[at] ^= 0x80
        assert differs(spans), at
        update(spans)
        assert one[at] == other[at]
        assert not differs(spans), at
    np.testing.assert_array_equal(one, other)


def test_what_follows_the_memory_is_neither_compared_nor_written() -> None:
    one, other = np.zeros(8192, np.uint8), np.ones(8192, np.uint8)
    update([Span(address_of(one) + 100, address_of(other) + 100, 5000)])
    assert int(one.sum()) == 5000
    assert not one[:100].any()
    assert not one[5100:].any()
    assert not differs([Span(address_of(one) + 100, address_of(other) + 100, 5000)])


def test_nothing_differs_from_nothing() -> None:
    assert not differs([])
    assert not differs([Span(0, 0, 0)])
    update([Span(0, 0, 0)])


def test_a_difference_in_any_of_many_buffers_is_found() -> None:
    ones = [np.full(length, 3, np.uint8) for length in (1, 0, 70, COMPARE_CHUNK + 1)]
    others = [one.copy() for one in ones]
    spans = [span_of(*pair) for pair in zip(ones, others, strict=True)]
    assert not differs(spans)
    for other in others:
        if len(other):
            other[-1] = 4
            assert differs(spans)
            update(spans)
            assert not differs(spans)


@pytest.mark.parametrize(
    "buffer",
    [
        b"bytes",
        bytearray(b"bytearray"),
        memoryview(b"readonly view")[3:],
        np.arange(5),
        np.arange(6).reshape(2, 3),
    ],
    ids=lambda buffer: type(buffer).__name__,
)
def test_an_address_is_where_the_bytes_are(buffer: Any) -> None:
    wanted = bytes(memoryview(buffer).cast("B"))
    copy = bytearray(len(wanted))
    update([Span(address_of(copy), address_of(buffer), len(wanted))])
    assert copy == wanted


def test_an_array_that_may_not_be_written_to_has_an_address() -> None:
    array = np.arange(10)
    array.flags.writeable = False
    assert address_of(array) == array.ctypes.data


def test_memory_with_gaps_has_no_address() -> None:
    with pytest.raises((BufferError, ValueError)):
        address_of(np.arange(10)[::2])


def test_asking_for_an_address_keeps_nothing() -> None:
    buffer = bytearray(100)
    address_of(buffer)
    buffer.extend(b"still free to grow")


@pytest.mark.parametrize(
    "length",
    [1, 4096, WRITE_CHUNK - 1, WRITE_CHUNK, WRITE_CHUNK + 1, 2 * WRITE_CHUNK + 5],
)
def test_all_is_written_where_it_belongs(file: int, length: int) -> None:
    data = np.random.default_rng(length).integers(0, 256, length, np.uint8)
    write_pieces(file, [(0, memoryview(b"head")), (64, view_of(data))])
    assert os.fstat(file).st_size == 64 + length
    assert os.pread(file, 4, 0) == b"head"
    assert os.pread(file, length, 64) == data.tobytes()


def test_empty_pieces_write_nothing(file: int) -> None:
    write_pieces(file, [(0, memoryview(b"")), (100, memoryview(b""))])
    write_pieces(file, [])
    assert os.fstat(file).st_size == 0


@pytest.mark.usefixtures("four_threads")
def test_a_device_without_room_says_so_from_any_thread() -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(OSError, match="No space") as caught:
            write_pieces(fd, [(0, memoryview(bytes(5 * WRITE_CHUNK)))])
        assert caught.value.errno == errno.ENOSPC
    finally:
        os.close(fd)


def test_what_cannot_be_written_at_an_offset_says_so() -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(OSError, match="seek"):
            write_pieces(writing, [(0, memoryview(bytes(2 * WRITE_CHUNK)))])
    finally:
        os.close(reading)
        os.close(writing)


class Failure:
    """
    Writing that fails in the other threads, as far as one can choose.
    """

    def __init__(self, in_main: bool) -> None:
        self.in_main = in_main
        self.others = threading.Event()

    def pwrite(self, fd: int, data: memoryview, offset: int) -> int:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main == self.in_main:
            self.others.set()
            raise OSError(errno.ENOSPC, "no room")
        assert self.others.wait(10)
        return len(data)


@pytest.mark.parametrize("in_main", [True, False])
@pytest.mark.usefixtures("four_threads")
def test_an_error_reaches_the_caller_whichever_thread_has_it(
    file: int, monkeypatch: pytest.MonkeyPatch, in_main: bool
) -> None:
    monkeypatch.setattr(os, "pwrite", Failure(in_main).pwrite)
    with pytest.raises(OSError, match="no room"):
        write_pieces(file, [(0, memoryview(bytes(9 * WRITE_CHUNK)))])
    assert copy_threads() == []


def copy_threads() -> list[threading.Thread]:
    return [found for found in threading.enumerate() if found.name == "duck-copy"]


def test_an_error_that_is_over_keeps_no_memory() -> None:
    gc.disable()
    try:
        array = np.zeros(2 * WRITE_CHUNK, np.uint8)
        kept = weakref.ref(array)
        with pytest.raises(OSError, match="Bad file"):
            write_pieces(-1, [(0, view_of(array))])
        del array
        assert kept() is None
    finally:
        gc.enable()


def interrupted(work: Callable[[], object]) -> None:
    """
    Do some work in the main thread, and press Ctrl-C once it is under way.
    """
    done = threading.Event()

    def press() -> None:
        if wait_until(lambda: bool(copy_threads()) or done.is_set(), 10):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    try:
        work()
        done.set()
        presser.join()
    except KeyboardInterrupt:
        # Not later: the memory may go now.
        assert copy_threads() == []
        raise
    finally:
        done.set()
        presser.join()


@pytest.mark.usefixtures("four_threads")
def test_ctrl_c_leaves_no_thread_that_still_works_on_the_memory(file: int) -> None:
    size, times = 32 << 20, 200
    one, other = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    spans = [span_of(one, other)] * times
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: differs(spans))
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: update(spans))
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: write_pieces(file, [(0, view_of(one))] * times))


@pytest.mark.usefixtures("four_threads")
def test_ctrl_c_while_waiting_for_the_others_waits_on(
    monkeypatch: pytest.MonkeyPatch, file: int
) -> None:
    go_on = threading.Event()
    main = threading.main_thread()

    def pwrite(fd: int, data: memoryview, offset: int) -> int:
        if threading.current_thread() is not main:
            assert go_on.wait(10)
        return len(data)

    monkeypatch.setattr(os, "pwrite", pwrite)

    def press() -> None:
        # The main thread has nothing left to do but to wait.
        never = threading.Event()
        for _ in range(3):
            never.wait(0.05)
            signal.pthread_kill(main.ident or 0, signal.SIGINT)
        never.wait(0.05)
        go_on.set()

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        write_pieces(file, [(0, memoryview(bytes(8 * WRITE_CHUNK)))])
    assert go_on.is_set()
    assert copy_threads() == []
    presser.join()


@pytest.mark.usefixtures("four_threads")
def test_where_no_thread_is_to_be_had_one_does_it_all(
    monkeypatch: pytest.MonkeyPatch, file: int
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    data = bytes(range(256)) * (WRITE_CHUNK // 64)
    write_pieces(file, [(0, memoryview(data))])
    assert os.pread(file, len(data), 0) == data
    one, other = bytearray(data), bytearray(data)
    other[-1] ^= 1
    assert differs([span_of(one, other)])
    update([span_of(one, other)])
    assert one == other


def test_small_buffers_start_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise AssertionError("a thread for a few bytes")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    ones = [bytearray(b"small") for _ in range(5000)]
    others = [bytearray(b"small") for _ in range(5000)]
    spans = [span_of(*pair) for pair in zip(ones, others, strict=True)]
    assert not differs(spans)
    others[-1][-1] = 0
    assert differs(spans)
