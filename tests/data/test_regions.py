"""
Regions of memory, and which objects may hold them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from duck_jupyter.data.fetched_versions import find_origin, remember
from duck_jupyter.data.regions import Region, has_memory, may_hold, region_of

ARRAY = np.arange(60.0).reshape(6, 10)
START = ARRAY.ctypes.data


@pytest.mark.parametrize(
    ("part", "low", "high"),
    [
        (ARRAY, 0, 480),
        (ARRAY[1:3], 80, 240),
        (ARRAY[::-1], 0, 480),
        (ARRAY[4:1:-2, 3], 184, 352),
        (ARRAY.T[2:4], 16, 432),
        (ARRAY[5, 9, ...], 472, 480),
        (np.broadcast_to(ARRAY[2], (7, 10)), 160, 240),
    ],
    ids=["all", "rows", "reversed", "steps", "transposed", "one", "repeated"],
)
def test_a_region_is_from_the_first_byte_to_the_last(
    part: Any, low: int, high: int
) -> None:
    region = region_of(part)
    assert (region.low - START, region.high - START) == (low, high)
    assert region.data == part.nbytes
    assert region.size == high - low


@pytest.mark.parametrize(
    ("value", "has"),
    [
        (ARRAY, True),
        (np.matrix([[1]]), True),
        (pd.DataFrame({"a": [1]}), True),
        (pd.Series([1]), True),
        (pd.Index([1]), True),
        (pa.table({"a": [1]}), True),
        (pa.array([1]), True),
        (np.float64(1), False),
        ([ARRAY], False),
        ({"a": ARRAY}, False),
        ("text", False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_arrays_frames_and_tables_have_parts(value: Any, has: bool) -> None:
    assert has_memory(value) is has


def test_an_array_holds_what_is_within_it() -> None:
    inside, outside = region_of(ARRAY[2:4]), region_of(np.zeros(5))
    assert may_hold(ARRAY, inside)
    assert may_hold(ARRAY.T, inside)
    assert not may_hold(ARRAY, outside)
    assert not may_hold(ARRAY[::2], inside)
    assert not may_hold(np.zeros((0, 3)), outside)
    assert not may_hold(np.array([None, 1]), outside)


@pytest.mark.parametrize(
    ("value", "may"),
    [
        (pd.DataFrame({"a": [1], "when": pd.to_datetime(["2026-01-01"])}), True),
        (pd.DataFrame({"a": [1], "o": pd.Series([{}], dtype=object)}), False),
        (pd.DataFrame({"a": [1]}, index=pd.Index(["x"], dtype=object)), False),
        (pd.DataFrame({"a": [1], "s": pd.array(["x"], "string[python]")}), False),
        (pd.DataFrame({"a": [1], "k": pd.Categorical(["x"])}), True),
        (pd.Series([1.5]), True),
        (pd.Series([{}], dtype=object), False),
        (pd.Index([1, 2]), True),
        (pa.table({"s": ["x"]}), True),
    ],
    ids=str,
)
def test_where_there_are_python_objects_nothing_is_looked_for(
    value: Any, may: bool
) -> None:
    assert may_hold(value, Region(1000, 2000, 1000)) is may


def test_a_mapping_is_known_while_it_is_in_use() -> None:
    mapped = np.zeros(1000, np.uint8)
    start = mapped.ctypes.data
    remember(mapped, b"nonce")
    assert find_origin(start + 10, start + 1000) == (b"nonce", 10)
    assert find_origin(start + 10, start + 1001) is None
    assert find_origin(start - 1, start + 10) is None
    del mapped
    assert find_origin(start + 10, start + 20) is None
    other = np.zeros(10, np.uint8)
    remember(other, b"other")
    assert find_origin(start + 10, start + 20) is None
