"""
Parts of what is shared in place, and what was fetched here and is passed on.
"""

from __future__ import annotations

import gc
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter import NotShareable, share, shared
from duck_jupyter.client.fetching import fetch
from tests.data.mapped import assert_same

from .parts import COLUMNS, PARTS, ROWS, make_frame, share_array
from .variables import HANDLE_BYTES, Variables, dumps, handed, pickled

if TYPE_CHECKING:
    from duck_jupyter.session.session import Session


@pytest.fixture
def moved(variables: Variables) -> Variables:
    """
    Variables of which ``moved`` is shared in place.
    """
    share_array(variables, "moved", inplace=True)
    return variables


@pytest.fixture
def arr(variables: Variables) -> Any:
    """
    A shared array.
    """
    return share_array(variables, "arr")


# -- in place ------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_a_part_in_place_is_the_memory_itself(moved: Variables, part: str) -> None:
    whole = moved["moved"]
    wanted = PARTS[part](whole)
    assert pickled(wanted) < HANDLE_BYTES
    got = handed(wanted)
    assert_same(got, wanted)
    got[...] = 7
    assert (wanted == 7).all()
    whole[:] = 9
    np.testing.assert_array_equal(got, wanted)


def test_the_smallest_parts_in_place_are_seen_too(moved: Variables) -> None:
    whole = moved["moved"]
    for part in (whole[3], whole[3:4, 2], whole[5, 5, ...]):
        handed(part)[...] = -1
        assert (part == -1).all()


def test_a_part_in_place_that_refuses_to_be_written_to_does_so_there(
    moved: Variables,
) -> None:
    whole = moved["moved"]
    part = whole[10:]
    part.flags.writeable = False
    got = handed(part)
    assert not got.flags.writeable
    whole[10] = -1
    assert (got[0] == -1).all()


def test_parts_of_what_is_read_only_in_place_are_so(variables: Variables) -> None:
    variables["arr"] = np.zeros(ROWS)
    variables.share("arr", inplace=True, readonly=True)
    got = handed(variables["arr"][10:])
    assert not got.flags.writeable
    variables["arr"][10] = 5
    assert got[0] == 5


@pytest.mark.parametrize("protocol", [4, 5])
def test_rows_of_a_frame_in_place_are_its_memory(
    variables: Variables, protocol: int
) -> None:
    variables["df"] = pd.DataFrame({"a": np.zeros(200), "b": np.arange(200)})
    variables.share("df", inplace=True)
    df = variables["df"]
    rows = handed(df.iloc[:50], protocol)
    rows.loc[:, "a"] = 2.0
    assert df["a"].sum() == 100
    column = handed(df["b"], protocol)
    column.iloc[0] = -5
    assert df["b"].iloc[0] == -5


def test_a_part_that_has_left_the_shared_memory_is_refused(
    variables: Variables,
) -> None:
    variables["df"] = pd.DataFrame({"a": np.zeros(200), "b": np.arange(200)})
    variables.share("df", inplace=True)
    df = variables["df"]
    df["new"] = 1.5
    column = handed(df["a"])
    column.iloc[0] = 4
    assert df["a"].iloc[0] == 4
    for part in (df["new"], df.iloc[:50]):
        with pytest.raises(NotShareable, match="no longer in the shared memory"):
            dumps(part)
    other = np.arange(200.0)
    assert_same(handed(other), other)


def test_a_part_of_another_value_of_the_variable_is_refused(
    variables: Variables, moved: Variables
) -> None:
    whole = moved["moved"]
    variables["moved"] = other = np.arange(ROWS * 1.0)
    with pytest.raises(NotShareable, match="assigned another value"):
        dumps(other[10:])
    assert_same(handed(whole[10:]), whole[10:])


@pytest.mark.parametrize("how", ["unshare", "stop"])
def test_a_part_that_outlives_the_sharing_goes_by_value(
    session: Session, moved: Variables, arr: Any, how: str
) -> None:
    whole = moved["moved"]
    parts = [whole[10:], arr[10:]]
    assert pickled(parts) < HANDLE_BYTES
    if how == "unshare":
        session.unshare(["moved", "arr"])
    else:
        session.stop()
    for part in parts:
        assert pickled(part) > part.nbytes
        got = handed(part)
        assert_same(got, part)
        got[...] = -1
        assert part.any()


def test_without_handover_parts_go_as_ever(variables: Variables) -> None:
    variables["arr"] = arr = np.arange(ROWS * 1.0)
    variables.share("arr", handover=False)
    share(np.zeros(ROWS), name="other")
    assert pickled(arr[10:]) > arr[10:].nbytes


# -- what was fetched here -----------------------------------------------------------


def test_what_was_fetched_here_goes_as_a_handle(arr: Any) -> None:
    found = fetch(shared.arr)
    for part in (found, found[10:], found.T):
        assert pickled(part) < HANDLE_BYTES
        assert_same(handed(part), part)


def test_what_was_fetched_here_keeps_its_state(arr: Any) -> None:
    found = fetch(shared.arr)
    arr[:] = -1
    handed(arr)
    data = dumps(found)
    assert len(data) < HANDLE_BYTES
    del found
    gc.collect()
    for _ in range(3):
        arr[:] += 1
        handed(arr)
    assert pickle.loads(data)[1, 0] == COLUMNS


def test_what_was_fetched_and_written_to_goes_by_value(arr: Any) -> None:
    found = fetch(shared.arr)
    found[5] = -1
    assert pickled(found) > found.nbytes
    assert_same(handed(found), found)
    assert pickled(found[10:]) < HANDLE_BYTES


def test_a_frame_that_was_fetched_here_goes_as_handles(variables: Variables) -> None:
    variables["df"] = df = make_frame()
    variables.share("df")
    found = fetch(shared.df)
    assert pickled(found) < 2 * HANDLE_BYTES
    assert_same(handed(found), df)


@pytest.mark.parametrize("writable", [True, False])
def test_what_was_fetched_in_place_is_the_memory_itself(
    moved: Variables, writable: bool
) -> None:
    whole = moved["moved"]
    found = fetch(shared.moved, writable=writable)
    assert pickled(found) < HANDLE_BYTES
    got = handed(found[10:])
    assert got.flags.writeable is writable
    whole[10] = -1
    assert (got[0] == -1).all()
