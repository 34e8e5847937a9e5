"""
Every kind of object that people share arrives as it is, over its own memory.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter.data.pickling import dump, load
from duck_jupyter.errors import DataDecodeError, NotShared
from tests.data import arrays, pandases, tables
from tests.data.mapped import assert_same, map_buffers, send
from tests.support.objects import Plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from duck_jupyter.data.pickling import Dumped

SAMPLES = {
    f"{kind}: {name}": make
    for kind, samples in {
        "array": arrays.PLAIN | arrays.OTHERS | arrays.DERIVED,
        "sparse": arrays.SPARSE,
        "frame": pandases.FRAMES,
        "index": pandases.INDEXES,
        "arrow": tables.ARROW,
        "polars": tables.POLARS,
        "series": tables.SERIES,
    }.items()
    for name, make in samples.items()
}
samples = pytest.mark.parametrize("make", SAMPLES.values(), ids=SAMPLES)


class Meddler:
    """
    A member that changes the dict it is in while it is pickled.
    """

    def __init__(self) -> None:
        self.around: dict[Any, Any] = {1: self, 2: None}

    def __reduce__(self) -> Any:
        self.around[len(self.around) + 1] = None
        return Meddler, ()


class Refuser:
    """
    A member that knows better than pickle why it cannot go.
    """

    def __reduce__(self) -> Any:
        raise NotShared("not any more")


def assert_unchanged(after: Dumped, before: Dumped) -> None:
    assert after.head == before.head
    assert list(map(bytes, after.buffers)) == list(map(bytes, before.buffers))


@samples
def test_what_arrives_is_the_same_and_going_is_no_change(
    make: Callable[[], Any],
) -> None:
    value = make()
    before = dump(value, "value")
    for writable in (True, False):
        assert_same(send(value, writable), value)
    assert_unchanged(dump(value, "value"), before)
    for buffer in before.buffers:
        assert (buffer.format, buffer.ndim, buffer.contiguous) == ("B", 1, True)


def test_each_column_arrives_as_a_series() -> None:
    frame = pandases.mixed()
    for name in frame:
        assert_same(send(frame[name]), frame[name])


@pytest.mark.parametrize("make", pandases.FRAMES.values(), ids=pandases.FRAMES)
def test_what_pandas_remembers_of_its_use_is_no_change(
    make: Callable[[], Any],
) -> None:
    frame = make()
    before = dump(frame, "frame")
    for axis in (frame.index, frame.columns):
        assert axis.is_unique or axis.has_duplicates
        assert axis.equals(axis.union(axis)) or not axis.is_monotonic_increasing
    for number in range(frame.shape[1]):
        column = frame.iloc[:, number]
        assert hash(column.dtype) == hash(column.dtype)
        assert len(column.isna()) == column.size
        assert pd.Index(column).equals(pd.Index(column.copy()))
        assert column.to_numpy().size == column.dropna().size + column.isna().sum()
    assert repr(frame)
    assert frame.memory_usage(deep=True).sum() >= 0
    assert_unchanged(dump(frame, "frame"), before)


def test_what_pandas_remembers_is_found_out_anew() -> None:
    index = pandases.dates()
    facts = index.unit, index.year[0], index.is_normalized, index.resolution
    got = send(index)
    assert facts == (got.unit, got.year[0], got.is_normalized, got.resolution)


def test_a_changed_number_changes_a_buffer_and_not_the_head() -> None:
    frame = pandases.many_blocks()
    before = dump(frame, "frame")
    states = list(map(bytes, before.buffers))
    del before
    frame.loc[3, "a"] = 77
    after = dump(frame, "frame")
    assert sum(map(bytes.__ne__, states, map(bytes, after.buffers))) == 1
    frame.loc[3, "a"] = 3
    assert states == list(map(bytes, dump(frame, "frame").buffers))


def test_an_object_that_is_there_twice_arrives_as_one() -> None:
    array = np.arange("2020-01", "2020-09", dtype="M8[M]")
    frame = tables.polars()
    got = send([array, {"again": array}, frame, frame])
    assert got[0] is got[1]["again"]
    assert got[2] is got[3]


def test_an_object_that_holds_itself_arrives() -> None:
    value: Any = Plain(numbers=np.arange(1000))
    value.me = value
    got = send(value)
    assert got.me is got
    assert_same(got.numbers, value.numbers)


def test_the_buffers_keep_the_memory_of_the_object() -> None:
    array = np.arange(100_000)
    address = array.ctypes.data
    (buffer,) = dump(array, "array").buffers
    with pytest.raises(ValueError, match="cannot resize"):
        array.resize(10)
    del array
    gc.collect()
    alive = np.frombuffer(buffer, dtype=int)
    assert alive.ctypes.data == address
    assert alive.sum() == sum(range(100_000))


def test_writes_on_the_other_side_are_its_own() -> None:
    frame = pandases.many_blocks()
    dumped = dump(frame, "frame")
    views = map_buffers(dumped)
    got = load(dumped.head, views)
    got.loc[:, "a"] += 1
    got.iloc[0, 2] = 5.0
    assert_same(frame, pandases.many_blocks())


def test_a_mixture_arrives() -> None:
    value: dict[str, Any] = {
        "arrays": [np.arange(n) for n in range(300)],
        "frames": (pandases.mixed(), tables.polars()),
        "text": "Zürich",
        "function": lambda x: x + 1,
    }
    got = send(value)
    assert list(got) == list(value)
    for one, other in zip(got["arrays"], value["arrays"], strict=True):
        assert_same(one, other)
    for one, other in zip(got["frames"], value["frames"], strict=True):
        assert_same(one, other)
    assert got["function"](2) == 3


def test_many_small_arrays_go_into_the_head() -> None:
    value = [np.arange(3) + n for n in range(10_000)]
    dumped = dump(value, "value")
    assert len(dumped.buffers) < 5_000
    got = load(dumped.head, map_buffers(dumped))
    assert all(map(np.array_equal, got, value))


def test_a_change_at_the_same_time_is_told_as_python_tells_it() -> None:
    with pytest.raises(RuntimeError, match="changed size during iteration"):
        dump(Meddler().around, "value")


def test_an_error_of_ours_in_a_member_is_told_as_it_is() -> None:
    with pytest.raises(NotShared, match="not any more"):
        dump([Refuser()], "value")


def test_buffers_that_are_missing_are_told() -> None:
    dumped = dump(np.arange(1000), "value")
    with pytest.raises(DataDecodeError, match="cannot be rebuilt"):
        load(dumped.head, [])
