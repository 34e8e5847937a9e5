"""
Messages larger than the buffer, both ways, and those that are too large for any.
"""

from __future__ import annotations

import gc
import os
import resource
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duck_jupyter.errors import DataTooBigError, KernelGone
from duck_jupyter.memory.allocation import free_memory
from duck_jupyter.memory.overflow import KEEP_BYTES
from duck_jupyter.proxy import ProxyServer
from tests.support.blocks import list_nameless
from tests.support.limits import soft_limit
from tests.support.processes import wait_until
from tests.support.raw import far

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

LIMIT = 1_000_000


class Store:
    """
    Takes and gives values of any size.
    """

    def __init__(self) -> None:
        self.kept: Any = None

    def keep(self, *values: Any, **named: Any) -> int:
        self.kept = values, named
        return len(values) + len(named)

    def total(self, *arrays: Any) -> list[float]:
        return [float(array.sum()) for array in arrays]

    def change(self, array: Any) -> float:
        array[:] = 0
        return float(array.sum())

    def give(self, size: int) -> bytes:
        return b"x" * size

    def echo(self, value: Any) -> Any:
        return value

    def fail(self, size: int) -> None:
        raise ValueError("x" * size)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def proxy(server: ProxyServer, store: Store) -> Iterator[Any]:
    with far(server.create_proxy(store)) as found:
        yield found


@pytest.mark.parametrize("size", [150, 180, 190, 195, 199, 200, 201, 210, 5000, 10**7])
def test_a_message_of_any_size_arrives_both_ways(proxy: Any, size: int) -> None:
    for data in (b"y" * size, "y" * size):
        assert proxy.echo(data) == data
    assert proxy.give(size) == b"x" * size
    assert proxy.echo(1) == 1


def test_messages_around_the_size_of_the_buffer_arrive(proxy: Any) -> None:
    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.integers(0, 400) | st.integers(60_000, 140_000), max_size=6))
    def check(sizes: list[int]) -> None:
        for size in sizes:
            data = bytes([size % 251]) * size
            assert proxy.echo(data) == data

    check()


def test_an_array_of_10_mb_arrives_whole_and_may_be_written(proxy: Any) -> None:
    array = np.arange(10 * 2**20 // 8, dtype=np.float64)
    assert proxy.total(array) == [array.sum()]
    # It is a copy: the kernel may change it, and nobody else sees that.
    assert proxy.change(array) == 0
    assert array[-1] == len(array) - 1


def test_several_arrays_travel_in_one_call(proxy: Any, store: Store) -> None:
    arrays = [np.full(200_000 + n, n, dtype=np.int32) for n in range(5)]
    assert proxy.total(*arrays) == [float(a.sum()) for a in arrays]
    assert proxy.keep(arrays, *arrays, {"a": arrays[1]}, last=arrays[2]) == 8
    values, named = store.kept
    assert all(map(np.array_equal, values[0], arrays))
    assert all(map(np.array_equal, values[1:6], arrays))
    assert np.array_equal(values[6]["a"], arrays[1])
    assert np.array_equal(named["last"], arrays[2])


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(0),
        np.arange(100_000)[::2],
        np.asfortranarray(np.ones((300, 400))),
        np.array(["text", None, 5] * 10_000, dtype=object),
        np.array(7.5),
        np.zeros(50_000, dtype=[("a", "i4"), ("b", "f8")]),
        np.full(30_000, "2026-11-22", dtype="M8[D]"),
    ],
    ids=lambda array: f"{array.dtype.kind}{array.shape}",
)
def test_arrays_of_every_layout_arrive(proxy: Any, store: Store, array: Any) -> None:
    proxy.keep(array)
    kept = store.kept[0][0]
    assert (kept.dtype, kept.shape) == (array.dtype, array.shape)
    assert np.array_equal(kept, array)


@pytest.mark.parametrize("bufsize", [64, 200])
def test_any_number_of_arrays_travel_in_one_call(store: Store, bufsize: int) -> None:
    arrays = [np.full(3000, n) for n in range(150)]
    with (
        ProxyServer(bufsize=bufsize) as server,
        far(server.create_proxy(store)) as proxy,
    ):
        assert proxy.keep(*arrays) == 150
        assert all(map(np.array_equal, store.kept[0], arrays))
        assert proxy.keep(arrays, arrays[::-1]) == 2
        assert all(map(np.array_equal, store.kept[0][1], arrays[::-1]))


def test_a_later_message_does_not_change_an_earlier_one(
    proxy: Any, store: Store
) -> None:
    proxy.keep(np.ones(100_000))
    first = store.kept[0][0]
    proxy.keep(np.zeros(100_000))
    assert first.all()
    answer = proxy.echo(b"1" * 100_000)
    proxy.echo(b"2" * 100_000)
    assert answer == b"1" * 100_000


def test_a_kernel_keeps_nothing_of_a_call_that_is_over(
    proxy: Any, store: Store
) -> None:
    proxy.keep(np.ones(1_000_000))
    seen = weakref.ref(store.kept[0][0])
    store.kept = None
    assert wait_until(lambda: gc.collect() >= 0 and seen() is None)


def allocated(server: ProxyServer) -> int:
    """
    Give the bytes that the files of all lanes take.
    """
    lanes: list[Any] = [connection.lane for connection in server.connections()]
    found = [os.fstat(lane.block.descriptor.fileno()) for lane in lanes]
    return sum(each.st_blocks * 512 for each in found)


def test_memory_of_large_messages_is_given_back(
    server: ProxyServer, proxy: Any
) -> None:
    for _ in range(3):
        assert len(proxy.echo(b"x" * 20_000_000)) == 20_000_000
        assert allocated(server) <= KEEP_BYTES + 100_000
    proxy.keep(b"x" * 20_000_000)
    assert allocated(server) <= KEEP_BYTES + 100_000


# -- too large


@pytest.fixture
def limited(store: Store) -> Iterator[Any]:
    with (
        ProxyServer(max_message=LIMIT) as server,
        far(server.create_proxy(store)) as found,
    ):
        yield found


def test_a_request_above_the_limit_is_refused_before_it_is_sent(
    limited: Any, store: Store
) -> None:
    for value in (b"x" * LIMIT, "x" * LIMIT, np.zeros(LIMIT), [b"x" * LIMIT]):
        with pytest.raises(DataTooBigError, match=r"1,000,000.*Send it in parts"):
            limited.keep(value)
        with pytest.raises(DataTooBigError):
            limited.kept = value
        assert store.kept is None
        assert limited.echo(1) == 1


def test_an_answer_above_the_limit_is_an_error_and_the_call_was_made(
    limited: Any,
) -> None:
    with pytest.raises(DataTooBigError, match=r"1,000,000"):
        limited.give(2 * LIMIT)
    assert limited.give(LIMIT // 2) == b"x" * (LIMIT // 2)


def test_an_exception_above_the_limit_arrives_as_too_big(limited: Any) -> None:
    with pytest.raises(DataTooBigError):
        limited.fail(2 * LIMIT)
    with pytest.raises(ValueError, match="xxx"):
        limited.fail(100)


def files_of_at_most(size: int) -> AbstractContextManager[None]:
    """
    Let the system refuse every larger file in this process, client and server alike.
    """
    return soft_limit(resource.RLIMIT_FSIZE, size)


def test_a_request_without_room_for_it_leaves_the_lane_as_it_was(
    proxy: Any, store: Store
) -> None:
    proxy.keep(b"1" * 100_000)
    with files_of_at_most(200_000):
        with pytest.raises(DataTooBigError, match="no space"):
            proxy.keep(b"2" * 1_000_000)
        assert proxy.keep() == 0
        assert proxy.keep(b"3" * 100_000) == 1
    assert proxy.echo(b"4" * 1_000_000) == b"4" * 1_000_000


def test_an_answer_without_room_for_it_is_an_error_too(proxy: Any) -> None:
    assert proxy.echo(1) == 1
    # Not even the error itself has room, so only its line comes.
    too_big = pytest.raises(Exception, match=r"no memory left|no space")
    with files_of_at_most(10_000), too_big:
        proxy.give(100_000)
    assert proxy.give(100_000) == b"x" * 100_000


def test_a_message_that_needs_all_memory_is_refused(
    server: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The system would end the process that takes the last of it.
    """
    assert free_memory() > 2**20
    monkeypatch.setattr("duck_jupyter.memory.overflow.free_memory", lambda: 2**20)
    with far(server.create_proxy(Store())) as proxy:
        with pytest.raises(DataTooBigError, match="1,048,576 are free"):
            proxy.keep(b"x" * 20_000_000)
        assert proxy.keep(b"x" * 2**22) == 1


def test_request_and_answer_share_one_area_that_grows(proxy: Any) -> None:
    """
    Whatever the order of sizes, each message is whole.
    """
    assert proxy.echo(1) == 1
    before = len(list_nameless())
    for size in (100_000, 3_000_000, 70_000, 12_000_000, 5_000_000, 300, 9_000_000):
        data = bytes([size % 251]) * size
        assert proxy.echo(data) == data
    assert len(list_nameless()) == before


def test_a_large_message_to_a_server_that_closed_is_a_gone_kernel(
    server: ProxyServer, proxy: Any
) -> None:
    assert proxy.echo(1) == 1
    server.close()
    with pytest.raises(KernelGone):
        proxy.keep(np.zeros(1_000_000))
    with pytest.raises(KernelGone):
        proxy.keep(1)
