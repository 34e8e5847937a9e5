"""
What the tables say of a type, its subclasses and its objects.
"""

from __future__ import annotations

import queue
import threading
from array import array
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from duck_jupyter.objects.harmless.groups import LOOKS
from duck_jupyter.objects.harmless.registry import is_harmless

LIST = "append clear extend insert pop remove reverse sort __setitem__ __delitem__"
DICT = "clear pop popitem setdefault update __setitem__ __delitem__ __ior__"


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ([1], f"{LIST} __iadd__ __imul__"),
        ({1: 2}, DICT),
        (OrderedDict(), f"{DICT} move_to_end"),
        (Counter(), f"{DICT} subtract"),
        ({1}, "add discard difference_update intersection_update remove pop __ior__"),
        (bytearray(), LIST),
        (deque(), "append appendleft extendleft popleft rotate __iadd__"),
        (array("i"), "append byteswap extend frombytes fromfile fromlist pop"),
        (iter([1]), "__next__ __iter__ __setstate__"),
        (queue.Queue(), "get get_nowait put put_nowait task_done join"),
        (threading.Lock(), "acquire release __enter__ __exit__"),
        (threading.Event(), "set clear"),
        (BytesIO(), "read write seek truncate getbuffer close __iter__ __next__"),
        (np.zeros(3), "sort fill put partition resize setfield setflags itemset"),
        (np.zeros(3), "__setitem__ __iadd__ byteswap dump tofile"),
        (np.random.default_rng(), "random integers shuffle spawn"),
        (pd.DataFrame(), "insert pop update isetitem __setitem__ __delitem__ __iadd__"),
        (pd.Series(), "pop update __setitem__ __delitem__ __iadd__"),
        (pd.DataFrame().loc, "__setitem__"),
        (pl.DataFrame(), "insert_column replace_column extend drop_in_place"),
        (pl.DataFrame(), "__setitem__ set_sorted"),
        (pl.Series(), "append extend scatter set __setitem__"),
        (open, "__call__"),
        ([].append, "__call__"),
        (print, "__call__"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_may_change_something_is_not_harmless(target: Any, names: str) -> None:
    assert [name for name in names.split() if is_harmless(target, name)] == []


def test_nothing_is_known_of_other_types_but_how_python_looks_at_them() -> None:
    class Mine:
        def __getitem__(self, key: Any) -> Any:
            return key

        def get(self) -> None: ...

    for name in ("get", "__getitem__", "__call__", "__iter__", "__enter__", "__add__"):
        assert not is_harmless(Mine(), name)
    assert all(is_harmless(Mine(), name) for name in LOOKS)


def test_a_subclass_is_known_by_what_it_does_not_change() -> None:
    class Counting(dict[str, int]):
        def get(self, *args: Any) -> Any:
            self["n"] += 1
            return super().get(*args)

        def __radd__(self, other: Any) -> Any:
            self["n"] += 1

    assert is_harmless(Counting(), "keys")
    assert not is_harmless(Counting(), "get")

    class Numbers(list[int]):
        def __radd__(self, other: Any) -> Any:
            self.append(1)

    assert is_harmless(Numbers(), "__add__")
    assert not is_harmless(Numbers(), "__radd__")
    assert is_harmless([1], "__radd__")


def test_an_object_may_have_a_function_of_its_own_under_a_name() -> None:
    class Table(dict[str, int]):
        pass

    table = Table()
    assert is_harmless(table, "copy")
    table.copy = table.clear  # type: ignore[assignment, method-assign]
    assert not is_harmless(table, "copy")


def test_a_method_is_as_harmless_as_what_it_calls() -> None:
    assert is_harmless([1].index, "__call__")
    assert is_harmless(pd.DataFrame().head, "__call__")
    assert not is_harmless(pd.DataFrame().insert, "__call__")


def test_mappings_that_insert_what_is_missing_are_not_read_through_others() -> None:
    inserting: defaultdict[str, list[int]] = defaultdict(list)
    plain = UserDict({"k": 1})
    around: UserDict[str, Any] = UserDict()
    around.data = inserting
    for target in (
        ChainMap(inserting),
        ChainMap({}, ChainMap(inserting)),
        around,
        ChainMap({}, around),
    ):
        assert not is_harmless(target, "__getitem__")
        assert not is_harmless(target, "get")
        assert is_harmless(target, "keys") or is_harmless(target, "__contains__")
    for known in (plain, ChainMap({}, plain), ChainMap({}, Counter())):
        assert is_harmless(known, "__getitem__")
