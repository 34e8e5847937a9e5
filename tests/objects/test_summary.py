"""
What an object is, in one line.
"""

from __future__ import annotations

import collections
import threading
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from duck_jupyter.objects.summary import MOST_ASKING, TEXT_CHARS, summary_of
from tests.session.test_overview import HostileFrame, HostileList
from tests.support.objects import Plain, Tally
from tests.support.processes import wait_until

frame = pd.DataFrame({"a": range(2000), "b": 1, "c": 2})
Point = collections.namedtuple("Point", "x y")

LINES: list[tuple[Any, str]] = [
    (frame, "DataFrame, 2,000 rows × 3 columns"),  # noqa: RUF001
    (frame[["a"]][:1], "DataFrame, 1 row × 1 column"),  # noqa: RUF001
    (frame["a"], "Series, 2,000 rows"),
    (frame.index, "RangeIndex, 2,000 rows"),
    (pl.DataFrame({"a": [1, 2]}), "DataFrame, 2 rows × 1 column"),  # noqa: RUF001
    (pl.Series([1, 2]), "Series, 2 rows"),
    (pa.table({"a": [1, 2]}), "Table, 2 rows × 1 column"),  # noqa: RUF001
    (np.zeros((1000, 3)), "ndarray, 1,000 × 3 of float64"),  # noqa: RUF001
    (np.array(1), "ndarray, 0-d of int64"),
    ({"a": 3, "duck": 2}, "dict {'a': 3, 'duck': 2}"),
    (dict.fromkeys(range(10**6)), "dict {0: None, 1: None, 2: None, 3: None, …}"),
    ([1, [2, [3, [4]]], "x"], "list [1, [2, […]], 'x']"),
    ((), "tuple ()"),
    ((1,), "tuple (1,)"),
    (set(), "set()"),
    ({7}, "set {7}"),
    (frozenset({7}), "frozenset {7}"),
    (collections.deque([1, 2]), "deque [1, 2]"),
    (collections.Counter("aab"), "Counter {'a': 2, 'b': 1}"),
    (collections.defaultdict(list), "defaultdict {}"),
    (Point(1, 2), "Point (1, 2)"),
    ([frame], "list [DataFrame, 2,000 rows × 3 col…]"),  # noqa: RUF001
    (5, "int 5"),
    ("a\nduck", "str 'a\\nduck'"),
    (Tally(), "Tally"),
    (object(), "object"),
    (Plain(), "Plain a plain object"),
    (HostileList([1, 2]), "HostileList [1, 2]"),
    (HostileFrame({"a": [1]}), "HostileFrame, 1 row × 1 column"),  # noqa: RUF001
]


@pytest.mark.parametrize(("target", "line"), LINES, ids=lambda x: type(x).__name__)
def test_an_object_is_one_line(target: Any, line: str) -> None:
    assert wait_until(lambda: summary_of(target) == line), summary_of(target)


@pytest.mark.parametrize(
    "target",
    ["x" * 10**6, b"x" * 10**6, ["x" * 1000] * 1000, {"x" * 1000: "y" * 1000}],
    ids=lambda target: type(target).__name__,
)
def test_what_is_large_is_cut(target: Any) -> None:
    assert wait_until(lambda: summary_of(target) != type(target).__name__)
    line = summary_of(target)
    assert len(line) <= TEXT_CHARS + 10
    assert "…" in line


class Model:
    """
    Something whose text begins with its type, and has several lines.
    """

    def __repr__(self) -> str:
        return "Model(depth=3,\n      rate=0.1)"


def test_a_type_is_named_once_and_lines_are_joined() -> None:
    assert wait_until(lambda: summary_of(Model()) == "Model(depth=3, rate=0.1)")


class Leaving:
    """
    Raises what ends programs.
    """

    def __repr__(self) -> str:
        raise SystemExit


def test_what_an_object_raises_leaves_its_type() -> None:
    assert summary_of(Leaving()) == "Leaving"
    assert summary_of([Leaving()]) == "list"


class Slow:
    """
    Gives its text when it may.
    """

    def __init__(self) -> None:
        self.may = threading.Event()

    def __repr__(self) -> str:
        self.may.wait()
        return "Slow()"


def test_an_object_that_takes_its_time_is_not_waited_for() -> None:
    slow = Slow()
    try:
        for _ in range(2 * MOST_ASKING):
            assert summary_of(slow) == "Slow"
        waiting = [t for t in threading.enumerate() if t.name == "duck-summary"]
        assert len(waiting) == MOST_ASKING
    finally:
        slow.may.set()
    assert wait_until(lambda: summary_of(slow) == "Slow()")
