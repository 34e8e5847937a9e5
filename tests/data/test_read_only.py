"""
Threads of one process map a version twice at most, and their writes stay their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from duck_jupyter.data.attach import encoded, rebuild
from duck_jupyter.data.handles import Handle
from duck_jupyter.data.read_only import keep_unwritten, may_be_unwritten
from duck_jupyter.data.store import Store
from duck_jupyter.memory.mapping_cache import LEAST_BYTES, drop_idle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = LEAST_BYTES // 16 + 1000
COPIES_ON_WRITE = int(pd.__version__.partition(".")[0]) >= 3


def make_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": np.arange(ROWS, dtype=float),
            "n": np.arange(ROWS),
            "when": pd.date_range("2026-01-01", periods=ROWS, freq="s"),
            "kind": pd.Categorical.from_codes(np.arange(ROWS) % 2, ["a", "b"]),
        }
    )


def make_words() -> pd.DataFrame:
    """
    Give a frame with cells that are arrays themselves.
    """
    words = np.empty(2, dtype=object)
    words[:] = [np.zeros(ROWS), np.ones(ROWS)]
    return pd.DataFrame({"cell": words})


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()
    drop_idle()


class Users:
    """
    The users of one object in this process.
    """

    def __init__(self, store: Store, value: Any) -> None:
        self._publication = store.publication("value")
        self._value = value
        self.inode = 0

    def get(self, *, writable: bool = True) -> Any:
        handle = self._publication.handle(self._value)
        assert isinstance(handle, Handle)
        self.inode = handle.file.inode
        return rebuild(encoded(handle), writable=writable)

    @property
    def mappings(self) -> int:
        """
        How often the version is mapped here, beside the mapping of its maker.
        """
        lines = Path("/proc/self/maps").read_text().splitlines()
        found = [fields for line in lines if int((fields := line.split())[4])]
        sizes = [size_of(x[0]) for x in found if int(x[4]) == self.inode]
        return sum(size >= LEAST_BYTES for size in sizes) - 1


def size_of(span: str) -> int:
    start, end = (int(part, 16) for part in span.split("-"))
    return end - start


TABLES: dict[str, Callable[[], Any]] = {
    "polars": lambda: pl.DataFrame({"x": np.arange(2 * ROWS)}),
    "polars series": lambda: pl.Series("x", np.arange(2 * ROWS)),
    "arrow": lambda: pa.table({"x": np.arange(2 * ROWS)}),
    "arrow array": lambda: pa.array(np.arange(2 * ROWS)),
}
PANDAS: dict[str, Callable[[], Any]] = {
    "frame": make_frame,
    "series": lambda: pd.Series(np.arange(2 * ROWS), name="x"),
}
SHARING = {**TABLES, **(PANDAS if COPIES_ON_WRITE else {})}
WRITING: dict[str, Callable[[], Any]] = {
    "array": lambda: np.arange(2 * ROWS),
    "list of frames": lambda: [make_frame()],
    "cells that are arrays": make_words,
    **({} if COPIES_ON_WRITE else PANDAS),
}
ALL = {**SHARING, **WRITING}


@pytest.mark.parametrize("kind", SHARING)
def test_many_users_of_a_table_map_it_twice(store: Store, kind: str) -> None:
    value = SHARING[kind]()
    users = Users(store, value)
    found = [users.get() for _ in range(6)]
    assert users.mappings == 2
    assert all(each.equals(value) for each in found)


@pytest.mark.parametrize("kind", WRITING)
def test_what_may_be_written_to_in_place_is_mapped_for_each_user(
    store: Store, kind: str
) -> None:
    value = WRITING[kind]()
    users = Users(store, value)
    found = [users.get() for _ in range(3)]
    assert users.mappings == 3
    del found


@pytest.mark.parametrize("kind", ALL)
def test_users_that_do_not_write_map_anything_once(store: Store, kind: str) -> None:
    users = Users(store, ALL[kind]())
    found = [users.get(writable=False) for _ in range(6)]
    assert users.mappings == 1
    del found


def test_cells_that_are_arrays_are_written_to_in_place(store: Store) -> None:
    value = make_words()
    users = Users(store, value)
    for each in [users.get() for _ in range(3)]:
        each["cell"].iloc[0][0] = 5
        assert each["cell"].iloc[0][0] == 5
    assert value["cell"].iloc[0][0] == 0


def change_first(part: Any) -> None:
    part.iloc[0, 0] = 9.0


CHANGES: dict[str, Callable[[Any], Any]] = {
    "loc": lambda df: df.loc.__setitem__((0, "x"), -1.0),
    "all": lambda df: df.loc.__setitem__((slice(None), "x"), 0.0),
    "iloc": lambda df: df.iloc.__setitem__((slice(0, 5), [0, 1]), 7),
    "at": lambda df: df.at.__setitem__((3, "n"), -3),
    "column": lambda df: df.__setitem__("new", df["x"] * 2),
    "date": lambda df: df.iloc.__setitem__((0, 2), pd.Timestamp("2020-01-01")),
    "category": lambda df: df.iloc.__setitem__((0, 3), "b"),
    "operator": lambda df: df[["x", "n"]].__iadd__(1),
    "fill": lambda df: df.replace({"x": {0.0: 5.0}}, inplace=True),
    "update": lambda df: df.update(pd.DataFrame({"x": [9.0]})),
    "twice": lambda df: [df.loc.__setitem__((i, "x"), -1.0) for i in range(3)],
    "other part": lambda df: change_first(df.iloc[:10]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_a_frame_is_that_of_its_user(store: Store, change: str) -> None:
    value = make_frame()
    users = Users(store, value)
    found = [users.get() for _ in range(4)]
    expected = make_frame()
    CHANGES[change](expected)
    for number in (2, 0):
        CHANGES[change](found[number])
        assert found[number].equals(expected)
    for number in (1, 3):
        assert found[number].equals(value)
    # What was made of a frame outlives it.
    last = found.pop()["x"]
    del found
    last.iloc[0] = 100.0
    assert last.iloc[0] == 100.0
    assert value.equals(make_frame())


def test_pandas_has_what_lets_it_copy_on_write() -> None:
    """
    These are names of pandas' own. Without them each thread maps its own memory.
    """
    for value in (make_frame(), make_frame()["x"]):
        assert may_be_unwritten(value)
        assert keep_unwritten(value) is COPIES_ON_WRITE
    assert not keep_unwritten(make_words())
    assert not may_be_unwritten(np.zeros(3))
