"""
In place: everyone sees every write, and what cannot do so is refused with the reason.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from duck_jupyter.data.attach import attach, encoded, rebuild
from duck_jupyter.data.inplace import Inplace, in_ordinary_memory
from duck_jupyter.data.store import Store
from duck_jupyter.data.versions import Versions
from duck_jupyter.errors import NotShareable, VersionGone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.workers import Worker

    Move = Callable[..., Inplace]

#: What a worker keeps of one test.
_kept: dict[str, Any] = {}


@pytest.fixture
def move() -> Iterator[Move]:
    """
    Move objects to shared memory, until the test ends.
    """
    moved: list[Inplace] = []

    def move_one(value: Any, **settings: Any) -> Inplace:
        moved.append(Inplace(value, "arr", **settings))
        return moved[-1]

    yield move_one
    while moved:
        moved.pop().close()


def keep(data: bytes) -> None:
    _kept["value"] = rebuild(data)


def look(at: Any) -> Any:
    value = _kept["value"]
    if hasattr(value, "iloc"):
        return value.iloc[at]
    return value[at]


def put(at: Any, what: Any) -> None:
    value = _kept["value"]
    if hasattr(value, "iloc"):
        value.iloc[at] = what
    else:
        value[at] = what


def drop() -> None:
    _kept.clear()


RECORD = np.dtype([("n", "i4"), ("x", "f8"), ("name", "S5")])
#: Arrays, and two values to write into each.
ARRAYS: dict[str, tuple[Any, Any, Any]] = {
    "bool": (np.zeros(3000, bool), True, True),
    "int8": (np.zeros(3000, "i1"), 5, -7),
    "uint64": (np.zeros(3000, "u8"), 2**63, 1),
    "big-endian": (np.zeros(3000, ">i4"), 5, -7),
    "float16": (np.zeros(3000, "f2"), 0.5, -1.5),
    "float64": (np.zeros(3000), 0.5, -1.5),
    "long double": (np.zeros(3000, "g"), 0.5, -1.5),
    "complex": (np.zeros(3000, "c16"), 1j, -1.5),
    "timedelta": (
        np.zeros(3000, "m8[s]"),
        np.timedelta64(5, "s"),
        np.timedelta64(7, "s"),
    ),
    "date": (
        np.zeros(3000, "M8[ns]"),
        np.datetime64("2013-01-01", "ns"),
        np.datetime64("2014-01-01", "ns"),
    ),
    "bytes": (np.zeros(3000, "S8"), b"duck", b"jupyter"),
    "text": (np.zeros(3000, "U8"), "Ente", "Ünter"),
    "record": (np.zeros(3000, RECORD), (1, 0.5, b"a"), (2, 1.5, b"b")),
    "void": (np.zeros(3000, "V4"), np.void(b"abcd"), np.void(b"dcba")),
    "empty columns": (np.zeros((3000, 1)), 2.0, 3.0),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_writes_to_an_array_are_seen_from_both_sides(
    kind: str, move: Move, worker: Worker
) -> None:
    value, here, there = ARRAYS[kind]
    inplace = move(value)
    shared = inplace.object
    assert type(shared) is np.ndarray
    assert shared.dtype == value.dtype
    worker.run(keep, encoded(inplace.handle(shared)))
    shared[7] = here
    assert worker.run(look, 7) == shared[7]
    worker.run(put, 2999, there)
    assert shared[2999] == np.array([there], value.dtype)[0]
    assert value[7] != shared[7]  # what was moved stays as it is
    worker.run(drop)


def frame() -> pd.DataFrame:
    count = 500
    return pd.DataFrame(
        {
            "int": np.arange(count),
            "more": np.arange(count),
            "float": np.arange(count) / 2,
            "bool": np.arange(count) % 2 == 0,
            "Int64": pd.array([*range(count - 1), None], dtype="Int64"),
            "Float32": pd.array([*range(count - 1), None], dtype="Float32"),
            "boolean": pd.array([True, None] * (count // 2), dtype="boolean"),
            "date": pd.date_range("2013-01-01", periods=count),
            "tz": pd.date_range("2013-01-01", periods=count, tz="Europe/Berlin"),
            "delta": pd.timedelta_range("1h", periods=count),
        },
        index=[f"row {number}" for number in range(count)],
    )


#: Two values to write into each column.
CELLS: dict[str, tuple[Any, Any]] = {
    "int": (-1, -2),
    "more": (-3, -4),
    "float": (-0.5, -1.5),
    "bool": (True, False),
    "Int64": (-1, pd.NA),
    "Float32": (-1.5, pd.NA),
    "boolean": (pd.NA, False),
    "date": (pd.Timestamp("2020-01-01"), pd.NaT),
    "tz": (pd.Timestamp("2020-01-01", tz="Europe/Berlin"), pd.NaT),
    "delta": (pd.Timedelta("5h"), pd.NaT),
}


def is_same(one: Any, other: Any) -> bool:
    return one is other or bool(pd.isna(one) and pd.isna(other)) or bool(one == other)


def test_writes_to_a_frame_are_seen_from_both_sides(move: Move, worker: Worker) -> None:
    before = frame()
    inplace = move(before)
    shared = inplace.object
    pd.testing.assert_frame_equal(shared, before)
    worker.run(keep, encoded(inplace.handle(shared)))
    for at, (here, there) in enumerate(CELLS.values()):
        shared.iloc[3, at] = here
        assert is_same(worker.run(look, (3, at)), here), shared.columns[at]
        worker.run(put, (5, at), there)
        assert is_same(shared.iloc[5, at], there), shared.columns[at]
    pd.testing.assert_frame_equal(before, frame())
    # It is still where it was.
    worker.run(keep, encoded(inplace.handle(shared)))
    assert worker.run(look, (3, 0)) == -1
    worker.run(drop)


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_keeps_its_order(order: Any, move: Move) -> None:
    value = np.asarray(np.arange(6000).reshape(60, 100), order=order)
    shared = move(value).object
    assert shared.flags.c_contiguous == (order == "C")
    assert shared.flags.f_contiguous == (order == "F")
    assert shared.flags.writeable
    np.testing.assert_array_equal(shared, value)


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(0),
        np.zeros((0, 5)),
        np.array(5.0),
        np.arange(9)[::2],
        np.broadcast_to(np.float64(1), (50, 50)),
        pd.DataFrame(),
        pd.DataFrame({"a": []}),
        pd.DataFrame({"a": [1, 2], "b": [0.5, 1]}),
        pd.DataFrame([[1, 2], [3, 4]], columns=["same", "same"]),
    ],
    ids=str,
)
def test_small_and_odd_objects_are_moved_and_come_back(value: Any, move: Move) -> None:
    inplace = move(value)
    got = attach(inplace.handle(inplace.object))
    back = in_ordinary_memory(inplace.object)
    for one in (inplace.object, got, back):
        assert type(one) is type(value)
        np.testing.assert_array_equal(one, value)


class Sub(np.ndarray[Any, Any]):
    pass


class SubFrame(pd.DataFrame):  # type: ignore[misc]
    pass


REFUSED: dict[str, tuple[Any, str]] = {
    "list": ([1, 2], r"'arr' is a list"),
    "dict": ({"a": np.zeros(3)}, r"'arr' is a dict"),
    "none": (None, r"'arr' is a NoneType"),
    "series": (pd.Series([1]), r"'arr' is a pandas.*Series"),
    "table": (pa.table({"a": [1]}), r"'arr' is a pyarrow.*Table"),
    "objects": (np.array([{}], dtype=object), r"'arr' is object"),
    "objects in records": (
        np.zeros(2, [("n", "i4"), ("o", object)]),
        r"'arr' is .*'O'",
    ),
    "masked": (
        np.ma.masked_array([1, 2], [False, True]),
        r"'arr' is a numpy.*Masked",
    ),
    "subclass": (np.zeros(3).view(Sub), r"'arr' is a tests\..*Sub"),
    "frame subclass": (SubFrame({"a": [1]}), r"'arr' is a tests\..*SubFrame"),
    "text column": (pd.DataFrame({"a": [1], "b": ["x"]}), r"column 'b' of 'arr' is "),
    "object column": (
        pd.DataFrame({"o": [{}]}, dtype=object),
        r"column 'o' of 'arr' is object",
    ),
    "category": (
        pd.DataFrame({"c": pd.Categorical(["x"])}),
        r"column 'c' of 'arr' is category",
    ),
    "period": (
        pd.DataFrame({"p": pd.period_range("2013", periods=2, freq="D")}),
        r"column 'p' of 'arr' is period",
    ),
    "interval": (
        pd.DataFrame({"i": pd.interval_range(0, 2)}),
        r"column 'i' of 'arr' is interval",
    ),
    "arrow": (
        pd.DataFrame({"n": pd.array([1], dtype=pd.ArrowDtype(pa.int64()))}),
        r"column 'n' of 'arr' is int64\[pyarrow\]",
    ),
    "sparse": (
        pd.DataFrame({"s": pd.arrays.SparseArray([0, 1])}),
        r"column 's' of 'arr' is Sparse",
    ),
    # Python has the rest of so many pieces in the pickle, which nobody shares.
    "thousands of columns": (
        pd.DataFrame({n: pd.array([n], dtype="Int64") for n in range(2100)}),
        r"'arr' is in \d,\d{3} pieces",
    ),
}
if hasattr(np.dtypes, "StringDType"):
    REFUSED["string array"] = (np.array(["a"], np.dtypes.StringDType()), "StringDType")


@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_no_memory_to_share_is_refused_with_the_reason(kind: str) -> None:
    value, reason = REFUSED[kind]
    with pytest.raises(NotShareable, match=reason) as caught:
        Inplace(value, "arr")
    assert "without --inplace" in str(caught.value)


def test_a_worker_may_only_read_where_it_was_said_so(
    move: Move, worker: Worker
) -> None:
    inplace = move(np.zeros(3000), readonly=True)
    worker.run(keep, encoded(inplace.handle(inplace.object)))
    with pytest.raises(ValueError, match="read-only"):
        worker.run(put, 0, 1)
    inplace.object[0] = 4
    assert worker.run(look, 0) == 4
    worker.run(drop)


@pytest.mark.parametrize("value", [np.arange(3000.0), frame()], ids=["array", "frame"])
def test_in_ordinary_memory_it_is_nobody_elses(value: Any, move: Move) -> None:
    inplace = move(value)
    back = in_ordinary_memory(inplace.object)
    assert type(back) is type(value)
    if hasattr(value, "iloc"):
        pd.testing.assert_frame_equal(back, value)
    else:
        np.testing.assert_array_equal(back, value)
    other = attach(inplace.handle(inplace.object))
    for one, what in [(other, 77), (back, 88)]:
        _kept["value"] = one
        put((0, 0) if hasattr(value, "iloc") else 0, what)
    drop()
    assert np.asarray(inplace.object).flat[0] == 77


def test_it_goes_on_when_it_is_not_shared_any_more(worker: Worker) -> None:
    store = Store()
    inplace = Inplace(np.zeros(3000), "arr")
    store.add(inplace)
    shared = inplace.object
    worker.run(keep, encoded(inplace.handle(shared)))
    late = inplace.handle(shared)
    assert store.versions().kept == 1
    store.retire(inplace)
    shared[5] = 5
    assert attach(late)[5] == 5
    assert store.versions() == Versions()
    store.retire(inplace)  # which has been done
    assert store.versions() == Versions()
    with pytest.raises(VersionGone):
        attach(late)
    with pytest.raises(NotShareable, match="no longer shared in place"):
        inplace.handle(shared)
    del inplace
    store.close()
    gc.collect()
    worker.run(put, 6, 6)
    assert shared[4:8].tolist() == [0, 5, 6, 0]
    worker.run(drop)


def test_another_object_is_no_part_of_it(move: Move) -> None:
    inplace = move(np.zeros(3000))
    with pytest.raises(NotShareable, match="assigned another value"):
        inplace.handle(inplace.object.copy())
