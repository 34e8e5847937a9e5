"""
Handing over the variable itself: pools send a handle, and everybody else as ever.
"""

from __future__ import annotations

import copy
import pickle
import threading
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from duck_jupyter import share, shared
from duck_jupyter.errors import DataEncodeError
from tests.support.picklers import look_at

from .variables import HANDLE_BYTES, Variables, dumps, handed, pickled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from duck_jupyter.session.session import Session

SIZE = 50_000


def make_frame(value: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame({"a": np.full(SIZE, value), "b": np.arange(SIZE)})


@pytest.fixture
def df(variables: Variables) -> pd.DataFrame:
    """
    A frame that the variable ``df`` stands for, and that is shared.
    """
    variables["df"] = make_frame()
    variables.share("df")
    frame: pd.DataFrame = variables["df"]
    return frame


def test_a_shared_variable_goes_as_a_handle(df: pd.DataFrame) -> None:
    assert pickled(df) < HANDLE_BYTES
    assert pickled([df] * 8) < HANDLE_BYTES + 100
    assert pickled({"data": (df, 1)}) < HANDLE_BYTES + 100
    pd.testing.assert_frame_equal(handed(df), df)


def test_each_task_sees_the_state_it_was_pickled_in(df: pd.DataFrame) -> None:
    states = []
    for step in range(5):
        df.loc[step, "a"] = 1.0
        states.append(handed(df))
    df["c"] = 3
    states.append(handed(df))
    assert [state["a"].sum() for state in states] == [1, 2, 3, 4, 5, 5]
    assert list(states[-1]) == ["a", "b", "c"]
    assert list(states[0]) == ["a", "b"]


def test_what_waits_to_be_loaded_keeps_its_state(df: pd.DataFrame) -> None:
    waiting = []
    for step in range(4):
        df.loc[step, "a"] = 1.0
        waiting.append(dumps(df))
    assert [pickle.loads(data)["a"].sum() for data in waiting] == [1, 2, 3, 4]


def test_a_worker_writes_to_what_is_its_own(df: pd.DataFrame) -> None:
    mine = handed(df)
    mine.loc[:, "a"] = 9.0
    assert df["a"].sum() == 0
    assert handed(df)["a"].sum() == 0


def test_a_rebound_variable_goes_as_the_new_object(
    variables: Variables, df: pd.DataFrame
) -> None:
    handed(df)
    variables["df"] = other = make_frame(2.0)
    # Nothing has followed the variable yet, as within one cell.
    assert pickled(other) < HANDLE_BYTES
    assert handed(other)["a"][0] == 2
    # The old one is nobody's any more.
    assert pickled(df) > SIZE
    pd.testing.assert_frame_equal(handed(df), df)


def test_a_copy_and_an_equal_go_as_ever(df: pd.DataFrame) -> None:
    assert pickled(df.copy()) > SIZE
    assert pickled(df[df["b"] > 0]) > SIZE


WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": pickle.dumps,
    "pickle 5": lambda value: pickle.dumps(value, 5),
    "cloudpickle": cloudpickle.dumps,
    "function": lambda value: cloudpickle.dumps(lambda: value),
    "deep copy": lambda value: pickle.dumps(copy.deepcopy(value)),
    "copy": lambda value: pickle.dumps(copy.copy(value)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("terms", [{}, {"frozen": True}, {"inplace": True}])
def test_others_pickle_it_as_ever(
    variables: Variables, way: str, terms: dict[str, Any]
) -> None:
    variables["df"] = make_frame()
    variables.share("df", **terms)
    df = variables["df"]
    handed(df)
    assert len(WAYS[way](df)) > SIZE * 16
    assert b"duck_jupyter" not in WAYS[way](df)


def test_a_file_holds_the_data(df: pd.DataFrame, tmp_path: Path) -> None:
    df.to_pickle(tmp_path / "df.pickle")
    assert (tmp_path / "df.pickle").stat().st_size > SIZE * 16
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / "df.pickle"), df)


# -- terms ---------------------------------------------------------------------------


def test_without_handover_it_goes_as_ever(variables: Variables) -> None:
    before = look_at()
    variables["df"] = make_frame()
    variables.share("df", handover=False)
    assert pickled(variables["df"]) > SIZE
    assert look_at() == before


def test_handover_is_turned_off_and_on_by_sharing_again(variables: Variables) -> None:
    variables["df"] = make_frame()
    variables.share("df")
    for handover in (False, True, False, True):
        proxy: Any = variables.share("df", handover=handover)
        assert len(proxy) == len(shared.df) == SIZE
        assert (pickled(variables["df"]) < HANDLE_BYTES) is handover


def test_an_object_of_two_names_goes_for_the_one_that_hands_over(
    variables: Variables, session: Session
) -> None:
    variables["df"] = variables["same"] = make_frame()
    variables.share("df")
    variables.share("same", handover=False)
    assert pickled(variables["df"]) < HANDLE_BYTES
    session.unshare(["same"])
    assert pickled(variables["df"]) < HANDLE_BYTES
    variables.share("same", handover=False)
    session.unshare(["df"])
    assert pickled(variables["same"]) > SIZE


@pytest.mark.parametrize("gone", ["first", "second"])
@pytest.mark.parametrize("how", ["unshared", "rebound", "deleted", "on other terms"])
def test_an_object_of_two_names_goes_on_with_the_one_that_stays(
    variables: Variables, session: Session, gone: str, how: str
) -> None:
    frame = make_frame(3.0)
    variables["first"] = variables["second"] = frame
    variables.share("first")
    variables.share("second")
    handed(frame)
    if how == "unshared":
        session.unshare([gone])
    elif how == "rebound":
        variables[gone] = make_frame(4.0)
    elif how == "deleted":
        del variables[gone]
    else:
        variables.share(gone, handover=False)
    assert pickled(frame) < HANDLE_BYTES
    frame.loc[0, "a"] = 5.0
    pd.testing.assert_frame_equal(handed(frame), frame)
    if how == "rebound":
        assert handed(variables[gone])["a"][0] == 4


def test_two_names_that_swap_their_objects_go_as_what_they_are(
    variables: Variables,
) -> None:
    variables["a"], variables["b"] = make_frame(1.0), make_frame(2.0)
    variables.share("a", "b")
    handed([variables["a"], variables["b"]])
    variables["a"], variables["b"] = variables["b"], variables["a"]
    for name, value in (("a", 2.0), ("b", 1.0)):
        assert pickled(variables[name]) < HANDLE_BYTES
        assert handed(variables[name])["a"][0] == value


# -- the end -------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["unshare", "stop", "delete", "server", "leave"])
def test_when_sharing_ends_it_goes_as_ever(
    variables: Variables, session: Session, how: str
) -> None:
    before = look_at()
    variables["df"] = df = make_frame()
    variables.share("df")
    assert look_at() != before
    assert pickled(df) < HANDLE_BYTES
    if how == "unshare":
        session.unshare(["df"])
    elif how == "stop":
        session.stop()
    elif how == "delete":
        del variables["df"]
        session.follow()
    elif how == "server":
        assert session.server is not None
        session.server.close()
        assert session.server is None
    else:
        session.leave(variables)
    assert pickled(df) > SIZE
    assert look_at() == before
    pd.testing.assert_frame_equal(handed(df), df)


def test_what_is_on_its_way_when_sharing_ends_arrives(
    variables: Variables, session: Session, df: pd.DataFrame
) -> None:
    data = dumps(df)
    session.unshare(["df"])
    df.loc[:, "a"] = 1.0
    assert pickle.loads(data)["a"].sum() == 0
    assert session.server is not None
    assert session.server.publisher.store.versions().kept == 0


# -- refused -------------------------------------------------------------------------


def test_what_cannot_be_pickled_is_named_by_its_path(session: Session) -> None:
    cfg = {"steps": [1, Holder()]}
    holder: Any = Holder()
    share(holder, name="holder")
    with pytest.raises(DataEncodeError, match=r"holder\.lock is a .*lock"):
        pickled([holder])
    share(cfg, name="cfg")
    # Of an exact dict picklers do not ask, so it is pickled as ever, and says so.
    with pytest.raises(TypeError, match="cannot pickle"):
        pickled(cfg)


class Holder:
    def __init__(self) -> None:
        self.lock = threading.Lock()


def test_threads_pickle_while_names_come_and_go(session: Session) -> None:
    """
    Whatever the moment, a pool gets the very numbers.
    """
    frames = [make_frame(float(i)) for i in range(2)]
    stop = threading.Event()
    wrong: list[Any] = []

    def pickle_on(number: int) -> None:
        while not stop.is_set():
            try:
                found = handed(frames[number])["a"][7]
            except Exception as error:
                wrong.append(error)
                return
            if found != number:
                wrong.append((number, found))

    threads = [threading.Thread(target=pickle_on, args=(i % 2,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(40):
        share(frames[turn % 2], name="one")
        share(frames[turn // 2 % 2], name="other", frozen=bool(turn % 3))
        if turn % 5 == 0:
            session.unshare(["one"])
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
