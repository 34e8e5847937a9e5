"""
What cannot be pickled is named by its path, and nothing of the user's is run.
"""

from __future__ import annotations

import collections
import functools
import sys
import threading
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from duck_jupyter.data.pickling import dump
from duck_jupyter.data.unpicklable import find_path
from duck_jupyter.errors import DataEncodeError
from tests.support.objects import Plain
from tests.support.processes import run_python

LOCK = threading.Lock()


class Pair(NamedTuple):
    first: Any
    second: Any


class Slotted:
    __slots__ = ("lock", "unset")

    def __init__(self) -> None:
        self.lock = LOCK


class Watched:
    """
    An object that fails when it is looked at in any way but its memory.
    """

    def __init__(self) -> None:
        self.steps = [None, Plain(lock=LOCK)]

    @property
    def lock(self) -> Any:
        raise SystemExit

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return object.__getattribute__(self, name)
        raise SystemExit


class Hidden:
    """
    An object that gives its lock away only when it is pickled.
    """

    def __reduce__(self) -> Any:
        return Hidden, (), {"lock": LOCK}


class Stubborn:
    def __getstate__(self) -> Any:
        raise ValueError("not today")


class Unspeakable:
    """
    A key whose repr is the user's own.
    """

    def __repr__(self) -> str:
        raise SystemExit


def objects(shape: tuple[int, ...]) -> Any:
    array = np.empty(shape, object)
    array[(-1,) * len(shape)] = LOCK
    return array


HOLDERS: dict[str, Any] = {
    ".steps[1].lock": Plain(steps=[0, Plain(lock=LOCK)]),
    "['a'][3][1].lock": {"a": {3: (1, Slotted())}},
    "[('a', 1)]": {("a", 1): LOCK},
    "[<Unspeakable>]": {Unspeakable(): LOCK},
    " (the key <lock>)": {LOCK: 1},
    " (an item)": {1, LOCK},
    ".second[0]": Pair(1, collections.deque([LOCK])),
    "['x'][0]": collections.defaultdict(list, x=[LOCK]),
    "[0].args[1]": [functools.partial(print, 1, LOCK)],
    "[0] (its variable LOCK)": [lambda: LOCK],
    ".method.__self__.lock": Plain(method=Slotted().__init__),  # type: ignore[misc]
    "[1, 2]": objects((2, 3)),
    "['b'].iloc[1]": pd.DataFrame({"a": [1, 2], "b": [None, LOCK]}),
    ".iloc[0]": pd.Series([LOCK]),
    ".frame.attrs['why']": Plain(frame=pd.DataFrame()),
    "[0].lock": [Hidden()],
}
HOLDERS[".frame.attrs['why']"].frame.attrs["why"] = LOCK


@pytest.mark.parametrize("path", HOLDERS)
def test_a_member_is_named_by_its_path(path: str) -> None:
    with pytest.raises(DataEncodeError) as caught:
        dump(HOLDERS[path], "model")
    text = str(caught.value)
    assert text.startswith(f"model{path} is a _thread.lock, which cannot be pickled")
    assert "__getstate__" in text
    assert "%share" in text
    assert "cannot pickle '_thread.lock' object" in text


def test_the_object_itself_is_named() -> None:
    with pytest.raises(DataEncodeError, match=r"^lock is a _thread.lock.*Use its prox"):
        dump(LOCK, "lock")


def test_a_class_that_refuses_is_named_with_its_reason() -> None:
    with pytest.raises(
        DataEncodeError, match=r"^model\[0\] is a .*Stubborn.*not today"
    ):
        dump([Stubborn()], "model")


def test_looking_for_the_path_runs_no_code_of_the_users() -> None:
    assert find_path(Watched(), LOCK) == ".steps[1].lock"


def test_a_large_neighbour_is_not_pickled_again() -> None:
    big: Any = np.zeros(10_000_000)
    with pytest.raises(DataEncodeError, match=r"^model\[2\] is a"):
        dump([big, list(range(200_000)), LOCK], "model")


def test_looking_for_the_path_ends() -> None:
    assert find_path([[number] for number in range(300_000)], LOCK) is None


def test_what_is_nested_too_deeply_is_told_so() -> None:
    chain: Any = None
    for _ in range(sys.getrecursionlimit() * 50):
        chain = [chain]
    with pytest.raises(DataEncodeError, match="nested too deeply"):
        dump(chain, "chain")


def test_a_path_is_not_longer_than_a_message() -> None:
    chain: Any = LOCK
    for _ in range(100):
        chain = {"next": chain}
    path = find_path(chain, LOCK)
    assert path is not None
    assert " ... " in path
    assert len(path) < 250


def test_a_function_of_a_notebook_that_uses_a_lock_is_named() -> None:
    code = """
import threading
from duck_jupyter.data.pickling import dump
lock = threading.Lock()
def score():
    return lock
try:
    dump([score], "jobs")
except TypeError as error:
    print(error)
"""
    done = run_python(code)
    assert done.stdout.startswith(
        "jobs holds score, whose definition cannot be pickled"
    )
