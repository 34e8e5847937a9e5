"""
Arguments in a few characters, without any code of the user.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter.pools.arguments import MOST, short_arguments


class Loud:
    """
    Raises whatever is asked of it.
    """

    def __repr__(self) -> str:
        raise AssertionError("the user's code ran")

    __str__ = __len__ = __iter__ = __format__ = __repr__  # type: ignore[assignment]
    shape = property(__repr__)


class LoudList(list[int]):
    def __repr__(self) -> str:
        raise AssertionError("the user's code ran")

    __iter__ = __len__ = __repr__  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        (("UA", 7), {}, "'UA', 7"),
        ((), {"depth": 8, "lr": 0.03}, "depth=8, lr=0.03"),
        ((np.zeros(336_776),), {}, "ndarray(336776)"),
        ((pd.DataFrame({"a": [1, 2]}),), {}, "DataFrame(2, 1)"),
        (("a" * 40,), {}, "'aaaaaaaaaaaaaaa…'"),
        ((b"b" * 40,), {}, "b'bbbbbbbbbbbbb...'"),
        (([1, 2], (3,), {"a": None}), {}, "[1, 2], (3,), {'a': None}"),
        ((list(range(10_000)),), {}, "list(10,000)"),
        ((10**400,), {}, "int(1,329 bits)"),
        ((len, int), {}, "len, int"),
        ((set(), frozenset({1})), {}, "set(), {1}"),
        ((Loud(), LoudList()), {"x": [Loud()]}, "Loud, LoudList(), x=[Loud]"),
        (("\x1b[31m\n",), {}, r"'\x1b[31m\n'"),
        ((), {}, ""),
    ],
)
def test_arguments_in_short(args: Any, kwargs: dict[str, Any], text: str) -> None:
    assert short_arguments(args, kwargs) == text


def test_many_arguments_are_cut() -> None:
    text = short_arguments(range(1000, 2000), {})
    assert len(text) == MOST
    assert text.startswith("1000, 1001, ")
    assert text.endswith("…")
