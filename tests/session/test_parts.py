"""
Parts of shared arrays and frames: handles to the memory of the whole, and private.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from duck_jupyter.memory import folders, spool
from tests.data.mapped import assert_same

from .parts import PARTS, ROWS, make_frame, share_array
from .variables import HANDLE_BYTES, Variables, dumps, handed, pickled

if TYPE_CHECKING:
    from collections.abc import Callable

    from duck_jupyter.session.session import Session


@pytest.fixture
def arr(variables: Variables) -> Any:
    """
    A shared array.
    """
    return share_array(variables, "arr")


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("part", PARTS)
def test_a_part_goes_as_a_handle_and_arrives_as_it_is(
    arr: Any, part: str, protocol: int
) -> None:
    wanted = PARTS[part](arr)
    assert pickled(wanted, protocol) < HANDLE_BYTES
    got = handed(wanted, protocol)
    assert_same(got, wanted)
    assert got.strides == wanted.strides
    got[...] = 0  # which is its own
    assert PARTS[part](arr).any()
    assert_same(handed(wanted), wanted)


def test_each_pickle_has_the_state_of_its_moment(arr: Any) -> None:
    waiting = []
    for number in range(4):
        arr[number] = -number
        waiting.append((dumps(arr[:10]), dumps(arr[:, 1]), arr[:10].copy()))
    for rows, column, wanted in waiting:
        assert_same(pickle.loads(rows), wanted)
        assert_same(pickle.loads(column)[:10], wanted[:, 1])


def test_a_change_elsewhere_does_not_publish_the_part_again(
    arr: Any, session: Session
) -> None:
    handed(arr[: ROWS // 2])
    arr[-1] = 0
    handed(arr[: ROWS // 2])
    assert session.server is not None
    versions = session.server.publisher.store.versions
    assert versions().kept == 1
    assert not handed(arr[ROWS // 2 :])[-1].any()


def test_the_parts_of_one_pickle_lie_on_one_mapping(arr: Any) -> None:
    first, second = handed([arr[:60], arr[40:]])
    first[50] = -1
    assert (second[10] == -1).all()


def test_a_part_of_few_bytes_goes_by_value(arr: Any, session: Session) -> None:
    assert_same(handed(arr[3]), arr[3])
    assert session.server is not None
    assert session.server.publisher.store.versions().kept == 0


def test_for_a_small_part_a_large_array_is_not_published(variables: Variables) -> None:
    """
    Not until the parts that went by value make up for it.
    """
    variables["arr"] = arr = np.zeros((1024, 1024))
    variables.share("arr")
    sizes = [pickled(part) for part in np.array_split(arr, 512)]
    assert sizes[0] > arr.nbytes // 512
    assert sizes[-1] < HANDLE_BYTES


def test_where_there_is_no_room_a_part_goes_by_value(
    arr: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # A file system of the kernel's own has no room whatever.
        patch.setattr(folders, "MEMORY_FOLDER", Path("/proc"))
        patch.setattr(spool, "_spool", Path("/proc"))
        assert pickled(arr[10:]) > arr[10:].nbytes
    assert pickled(arr[10:]) < HANDLE_BYTES


def test_an_array_that_only_equals_a_part_goes_as_ever(arr: Any) -> None:
    other = arr[10:].copy()
    assert pickled(other) > other.nbytes
    assert dumps(other) == dumps(other.copy())


def test_overlapping_elements_stay_as_they_are(arr: Any) -> None:
    windows = np.lib.stride_tricks.sliding_window_view(arr[:, 0], 100)
    assert pickled(windows) < HANDLE_BYTES
    got = handed(windows)
    assert_same(got, windows)
    assert not got.flags.writeable


def test_what_refuses_to_be_written_to_here_may_be_written_to_there(arr: Any) -> None:
    part = arr[10:]
    part.flags.writeable = False
    got = handed(part)
    got[0] = -1
    assert arr[10, 0] != -1


@pytest.mark.parametrize("kind", [np.matrix, np.memmap, np.recarray])
def test_a_class_of_numpys_is_kept(arr: Any, kind: Any) -> None:
    part = arr[10:].view(kind)
    assert pickled(part) < HANDLE_BYTES
    assert_same(handed(part), part)


def test_a_class_of_ones_own_goes_as_ever(arr: Any) -> None:
    part = arr[10:].view(Labelled)
    assert pickled(part) > part.nbytes
    assert type(handed(part)) is Labelled


class Labelled(np.ndarray[Any, Any]):
    pass


def test_fields_of_records_and_masked_parts_are_parts(variables: Variables) -> None:
    kind = np.dtype([("n", "i8"), ("x", "f4"), ("name", "S3")])
    variables["rows"] = rows = np.zeros(ROWS, kind)
    rows["n"] = np.arange(ROWS)
    variables.share("rows")
    masked = np.ma.masked_less(rows["n"], 5)
    masked = np.ma.array(rows["n"], mask=masked.mask, copy=False)
    for part in (rows["n"], rows["x"], rows[["n", "name"]], rows[::-2]):
        assert pickled(part) < HANDLE_BYTES
        np.testing.assert_array_equal(handed(part), part)
    assert pickled(masked) < 2 * ROWS
    assert_same(handed(masked), masked)


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1, "a"], [None, 2.5]] * ROWS, object),
        np.zeros((0, 5)),
        np.zeros(ROWS, "V0"),
        np.array(["a", "bc"] * ROWS, object).reshape(2, -1),
    ],
    ids=["objects", "nothing", "no bytes", "text"],
)
def test_what_cannot_lie_in_shared_memory_goes_as_ever(
    variables: Variables, value: Any
) -> None:
    variables["value"] = value
    variables.share("value")
    for part in (value[::2], value.T, value[1:]):
        got = handed(part)
        assert got.dtype == part.dtype
        np.testing.assert_array_equal(got, part)


def test_a_part_of_an_array_with_gaps_goes_by_value(variables: Variables) -> None:
    variables["arr"] = arr = np.arange(ROWS * 4.0).reshape(ROWS, 4)[:, ::2]
    variables.share("arr")
    assert pickled(arr) < HANDLE_BYTES
    assert_same(handed(arr[5:]), arr[5:])


def test_a_mapped_file_is_an_array_like_others(
    variables: Variables, tmp_path: Any
) -> None:
    mapped = np.memmap(tmp_path / "data", "f8", "w+", shape=(ROWS, 2))
    mapped[:] = 3
    variables["mapped"] = mapped
    variables.share("mapped")
    part = mapped[5:]
    assert pickled(part) < HANDLE_BYTES
    got = handed(part)
    assert type(got) is np.memmap
    np.testing.assert_array_equal(got, part)


FRAME_PARTS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "rows": lambda df: df.iloc[50:-50],
    "rows by label": lambda df: df.loc[100:38_000],
    "a column": lambda df: df["a"],
    "dates": lambda df: df["when"],
    "nullable": lambda df: df["ok"],
    "part of a column": lambda df: df["b"].iloc[10:],
    "numbers": lambda df: df["b"].to_numpy(),
}


@pytest.mark.parametrize("part", FRAME_PARTS)
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("protocol", [4, 5])
def test_a_part_of_a_frame_goes_as_handles(
    variables: Variables, part: str, frozen: bool, protocol: int
) -> None:
    variables["df"] = df = make_frame()
    variables.share("df", frozen=frozen)
    wanted = FRAME_PARTS[part](df)
    for _ in range(2):
        assert pickled(wanted, protocol) < 2 * HANDLE_BYTES
        assert_same(handed(wanted, protocol), wanted)
    if not frozen:
        df.loc[60, ["a", "b"]] = -1
        df.loc[60, "when"] = df.loc[0, "when"]
        wanted = FRAME_PARTS[part](df)
        assert_same(handed(wanted, protocol), wanted)


def test_columns_that_were_replaced_go_as_they_are_now(variables: Variables) -> None:
    variables["df"] = df = make_frame()
    variables.share("df")
    handed(df["a"])
    df["a"] = np.arange(ROWS * 2) + 0.5
    df["new"] = 7.0
    for name in ("a", "new"):
        assert pickled(df[name]) < HANDLE_BYTES
        assert_same(handed(df[name]), df[name])


def test_parts_of_arrow_columns_and_tables_are_not_copied(variables: Variables) -> None:
    text = pa.array([f"row {n}" for n in range(ROWS)])
    df = pd.DataFrame({"s": pd.array(text, pd.ArrowDtype(pa.string()))})
    variables["df"], variables["table"] = df, pa.table({"s": text})
    variables.share("df", "table")
    part = df["s"].iloc[5:]
    assert pickled(part) < HANDLE_BYTES
    assert_same(handed(part), part)
    table = variables["table"].slice(5)
    assert pickled(table) < HANDLE_BYTES
    assert_same(handed(table), table)


def test_beside_python_objects_columns_go_by_value(variables: Variables) -> None:
    """
    To look for a part would take as long as to pickle the objects.
    """
    df = make_frame().assign(o=pd.Series([{}] * ROWS * 2, dtype=object))
    variables["df"] = df
    variables.share("df")
    assert_same(handed(df["a"]), df["a"])
    assert pickled(df["a"]) > ROWS
