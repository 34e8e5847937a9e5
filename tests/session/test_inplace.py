"""
In place: the variable's own data in shared memory, both directions, and back again.
"""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter import NotShareable, NotShared, share, shared, unshare
from duck_jupyter.client.fetching import fetch
from tests.support.blocks import list_nameless
from tests.support.processes import wait_until
from tests.support.workers import Worker

from .variables import HANDLE_BYTES, Variables, handed, pickled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.session.session import Session

SIZE = 50_000
ADD = "fetch(p)[{at}] += {what}"


@pytest.fixture(scope="module")
def other_worker() -> Iterator[Worker]:
    with contextlib.closing(Worker()) as process:
        yield process


@pytest.fixture
def moved(variables: Variables) -> Variables:
    """
    Variables of which ``arr`` is shared in place.
    """
    variables["arr"] = np.arange(SIZE * 1.0)
    variables.share("arr", inplace=True)
    return variables


def is_shared_memory_left() -> bool:
    gc.collect()
    return any("/dev/shm" in path for path in list_nameless())


def test_the_values_are_the_same_in_shared_memory(variables: Variables) -> None:
    variables["arr"] = arr = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    variables.share("arr", inplace=True)
    found = variables["arr"]
    assert found is not arr
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, arr)
    assert (found.dtype, found.strides) == (arr.dtype, arr.strides)
    assert found.flags.writeable
    arr[0, 0] = 9  # the one before is nobody's any more
    assert found[0, 0] == 0


def test_everyone_sees_every_write(
    moved: Variables, worker: Worker, other_worker: Worker
) -> None:
    arr = moved["arr"]
    arr[0] = 10
    worker.exec(ADD.format(at=0, what=1), p=shared.arr)
    other_worker.exec(ADD.format(at=0, what=2), p=shared.arr)
    assert arr[0] == 13
    assert worker.eval("fetch(p)[0]", p=shared.arr) == 13
    keep = "import builtins; builtins.kept = fetch(p)"
    worker.exec(keep, p=shared.arr)
    other_worker.exec(keep, p=shared.arr)
    look = "__import__('builtins').kept[1:3].tolist()"
    arr[1] = 20
    assert worker.eval(look) == other_worker.eval(look) == [20, 2]
    worker.exec("import builtins; builtins.kept[2] = 30")
    assert arr[2] == 30
    assert other_worker.eval(look) == [20, 30]
    for one in (worker, other_worker):
        one.exec("import builtins; del builtins.kept")


def test_the_proxy_and_the_fetched_array_are_one(
    moved: Variables, worker: Worker
) -> None:
    code = "a = fetch(p); p[5] = -1; result = (a[5], p[5])"
    assert worker.exec(code, p=shared.arr) == (-1, -1)
    assert moved["arr"][5] == -1


def test_a_copy_is_not_in_place(moved: Variables, worker: Worker) -> None:
    code = "c = copy.copy(p); c[0] = 99; result = c[0], p[0]"
    assert worker.exec(code, p=shared.arr) == (99, 0)
    assert moved["arr"][0] == 0


def test_the_variable_itself_goes_to_pools_in_place(moved: Variables) -> None:
    assert pickled(moved["arr"]) < HANDLE_BYTES
    handed(moved["arr"])[3] = -5
    assert moved["arr"][3] == -5


def test_a_frame_is_shared_in_place(variables: Variables, worker: Worker) -> None:
    index = pd.date_range("2026-01-01", periods=SIZE, name="when")
    variables["df"] = df = pd.DataFrame(
        {"a": np.arange(SIZE), "b": 1.5, "c": index, "d": True}, index=index
    )
    variables.share("df", inplace=True)
    pd.testing.assert_frame_equal(variables["df"], df)
    worker.exec("fetch(p).iloc[3, 1] = 7.0", p=shared.df)
    assert variables["df"].iloc[3, 1] == 7
    variables["df"].iloc[4, 0] = -1
    assert worker.eval("int(fetch(p).iloc[4, 0])", p=shared.df) == -1
    assert worker.eval("float(fetch(p).iloc[3, 1])", p=shared.df) == 7
    assert df.iloc[3, 1] == 1.5


def test_running_the_cell_again_changes_nothing(
    moved: Variables, session: Session, worker: Worker
) -> None:
    arr, proxy = moved["arr"], shared.arr
    worker.exec(ADD.format(at=0, what=4), p=proxy)
    assert moved.share("arr", inplace=True) is proxy
    assert moved["arr"] is arr
    assert arr[0] == 4
    assert session.server is not None
    assert session.server.statistics().proxies[0].versions == 1


# -- back ----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["unshare", "delete", "stop", "share", "leave"])
def test_the_variable_gets_ordinary_memory_back_with_what_is_in_it(
    moved: Variables, session: Session, worker: Worker, how: str
) -> None:
    moved["also"] = other_name = moved["arr"]
    worker.exec(ADD.format(at=0, what=4), p=shared.arr)
    if how == "unshare":
        session.unshare(["arr"])
    elif how == "delete":
        del shared.arr
    elif how == "stop":
        session.stop()
    elif how == "leave":
        session.leave(moved)
    else:
        moved.share("arr")
    assert moved["arr"] is not other_name
    np.testing.assert_array_equal(moved["arr"], other_name)
    assert moved["arr"][0] == 4
    assert moved["arr"].flags.writeable
    moved["arr"][0] = 5
    assert other_name[0] == 4
    other_name[1] = 6
    assert is_shared_memory_left()
    if how == "share":
        assert handed(moved["arr"])[0] == 5
        session.unshare(["arr"])
    del other_name
    del moved["also"]
    assert wait_until(lambda: not is_shared_memory_left())


def test_of_a_frame_nothing_stays_in_shared_memory(
    variables: Variables, session: Session
) -> None:
    index = pd.date_range("2026-01-01", periods=SIZE)
    columns = pd.Index([1, 2], name="number")
    variables["df"] = df = pd.DataFrame(np.ones((SIZE, 2)), index, columns)
    variables.share("df", inplace=True)
    assert is_shared_memory_left()
    session.unshare(["df"])
    pd.testing.assert_frame_equal(variables["df"], df)
    assert wait_until(lambda: not is_shared_memory_left())


def test_what_a_worker_has_stays_shared_with_it(
    moved: Variables, session: Session, worker: Worker
) -> None:
    worker.exec("import builtins; builtins.kept = fetch(p)", p=shared.arr)
    session.unshare(["arr"])
    moved["arr"][0] = 9
    look = "import builtins; k = builtins.kept; k[1] += 1; result = (k[0], k[1])"
    assert worker.exec(look) == (0, 2)
    worker.exec("import builtins; del builtins.kept")


def test_a_deleted_variable_is_shared_no_longer(
    moved: Variables, session: Session
) -> None:
    del moved["arr"]
    with pytest.raises(NotShared):
        _ = shared.arr
    assert wait_until(lambda: not is_shared_memory_left())


# -- another value -------------------------------------------------------------------


def test_a_rebound_variable_says_what_to_do_and_that_works(
    moved: Variables, worker: Worker
) -> None:
    moved["arr"] = moved["arr"] * 2
    with pytest.raises(NotShareable, match=r"another value.*%share --inplace arr"):
        worker.eval("fetch(p)", p=shared.arr)
    with pytest.raises(NotShareable, match="%share --inplace arr"):
        pickled(moved["arr"])
    proxy = moved.share("arr", inplace=True)
    worker.exec(ADD.format(at=1, what=0.5), p=proxy)
    assert moved["arr"][1] == 2.5
    assert pickled(moved["arr"]) < HANDLE_BYTES


@pytest.mark.parametrize("way", ["a new column", "a column written anew", "an index"])
def test_a_frame_that_left_its_memory_says_what_to_do_and_that_works(
    variables: Variables, worker: Worker, way: str
) -> None:
    variables["df"] = pd.DataFrame({"a": np.arange(SIZE), "b": 1.5})
    variables.share("df", inplace=True)
    df = variables["df"]
    if way == "a new column":
        df["c"] = 1
    elif way == "a column written anew":
        df["a"] = df["a"] + 1
    else:
        df.index = df.index + 1
    with pytest.raises(NotShareable, match=r"no longer in .* memory.*--inplace df"):
        worker.eval("fetch(p)", p=shared.df)
    proxy = variables.share("df", inplace=True)
    pd.testing.assert_frame_equal(worker.eval("fetch(p)", p=proxy), df)
    worker.exec("fetch(p).iloc[0, 0] = 77", p=proxy)
    assert variables["df"].iloc[0, 0] == 77


@pytest.mark.parametrize("value", [[1, 2], "text", (i for i in "ab"), None])
def test_a_variable_that_is_something_else_by_now_is_left_alone(
    moved: Variables, session: Session, value: Any
) -> None:
    moved["arr"] = value
    assert shared.arr is not None
    session.unshare(["arr"])
    assert moved["arr"] is value


# -- other terms ---------------------------------------------------------------------


def test_workers_do_not_write_where_they_may_not(
    moved: Variables, worker: Worker
) -> None:
    before = moved["arr"]
    proxy = moved.share("arr", inplace=True, readonly=True)
    moved["arr"][0] = 7  # the notebook does
    assert before[0] == 0
    code = "a = fetch(p); result = (a[0], a.flags.writeable)"
    assert worker.exec(code, p=proxy) == (7, False)
    with pytest.raises(ValueError, match="read-only"):
        handed(moved["arr"])[0] = 1
    assert worker.exec("p.sum()", p=proxy) is None


def test_fetching_without_write_sees_the_writes_of_others(
    moved: Variables, worker: Worker
) -> None:
    code = "a = fetch(p, writable=False); p[0] = 5; result = (a[0], a.flags.writeable)"
    assert worker.exec(code, p=shared.arr) == (5, False)


def test_a_shared_variable_is_moved_in_place(variables: Variables) -> None:
    variables["arr"] = np.zeros(SIZE)
    variables.share("arr")
    private = handed(variables["arr"])
    variables.share("arr", inplace=True)
    handed(variables["arr"])[0] = 1
    assert variables["arr"][0] == 1
    assert private[0] == 0


def test_functions_share_in_place_and_leave_the_object_where_it_is(
    session: Session, worker: Worker
) -> None:
    arr: Any = np.zeros(SIZE)
    proxy = share(arr, name="arr", inplace=True)
    worker.exec(ADD.format(at=0, what=4), p=proxy)
    assert arr[0] == 0
    mine = fetch(proxy)
    assert mine[0] == 4
    mine[1] = 5
    assert worker.eval("fetch(p)[1]", p=proxy) == 5
    assert pickled(arr) > SIZE
    unshare("arr")
    assert mine[1] == 5


@pytest.mark.parametrize("first", [True, False])
def test_under_a_second_name_it_still_goes_in_place(
    variables: Variables, session: Session, first: bool
) -> None:
    variables["arr"] = np.zeros(SIZE)
    if first:
        variables.share("arr", alias="other")
    variables.share("arr", inplace=True)
    if not first:
        variables.share("arr", alias="other")
    session.follow()
    handed(variables["arr"])[0] = 1
    assert variables["arr"][0] == 1
    assert fetch(shared.other)[0] == 1
    session.unshare(["arr"])
    handed(variables["arr"])[0] = 2
    assert variables["arr"][0] == 1


# -- refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([1], "'x' is a list"),
        ({}, "'x' is a dict"),
        (np.array([None, 1], dtype=object), "'x' is object"),
        (np.ma.masked_array([1.0, 2.0]), r"'x' is a numpy\.ma\.\w*\.?MaskedArray"),
        (pd.Series([1.0]), r"'x' is a pandas\.\S*Series"),
        (pd.DataFrame({"a": [1], "b": ["x"]}), "column 'b' of 'x' is"),
        (pd.DataFrame({"a": pd.Categorical(["x"])}), "column 'a' of 'x' is category"),
        (np.array([(1, None)], dtype=[("a", "i4"), ("b", "O")]), "'x' is "),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_moved_is_refused_and_nothing_is_shared(
    variables: Variables, value: Any, reason: str
) -> None:
    variables["x"] = value
    variables["good"] = good = np.zeros(SIZE)
    with pytest.raises(NotShareable, match=f"(?s){reason}.*without --inplace"):
        variables.share("good", "x", inplace=True)
    assert not shared
    assert variables["x"] is value
    assert variables["good"] is good
    assert wait_until(lambda: not is_shared_memory_left())


def test_what_is_shared_already_stays_so_when_moving_is_refused(
    variables: Variables,
) -> None:
    variables["x"] = [1]
    proxy: Any = variables.share("x")
    with pytest.raises(NotShareable):
        variables.share("x", inplace=True)
    assert shared.x is proxy
    assert len(proxy) == 1


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(0),
        np.array(5.0),
        np.zeros((3, 0)),
        np.arange(3).astype(">i4"),
        np.array(["a", "bcd"]),
        np.array([b"a", b"bcd"]),
        np.arange(4).astype("m8[s]"),
        np.arange(20)[::3],
        np.zeros(3, dtype=[("a", "i4"), ("b", "f8")]),
        np.array([True, False]),
        pd.DataFrame({"a": []}, dtype="f8"),
        pd.DataFrame(),
    ],
    ids=lambda value: f"{type(value).__name__} {value.shape}",
)
def test_whatever_is_of_fixed_width_is_moved_and_back(
    variables: Variables, session: Session, value: Any
) -> None:
    variables["x"] = value
    proxy = variables.share("x", inplace=True)
    for found in (variables["x"], fetch(proxy), handed(variables["x"])):
        check(found, value)
    variables.share("x", inplace=True)
    session.unshare(["x"])
    check(variables["x"], value)


def check(found: Any, expected: Any) -> None:
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected)
        return
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert found.flags.writeable
