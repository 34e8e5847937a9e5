"""
What is shared in a benchmark of data, and what workers do with it.
"""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# Here, so that no measurement of time or memory has its import in it.
from duck_jupyter import fetch
from tests.support.processes import wait_until

__all__ = [
    "fetch_often",
    "hold_all",
    "load",
    "make_array",
    "make_frame",
    "make_mixed",
    "meet",
    "strided_sum",
]

COLUMNS = 10
#: Of the rows; so few that the task itself takes next to nothing.
STRIDE = 50_000
MEET_S = 60.0

_held: list[Any] = []


def make_array(size: int) -> np.ndarray[Any, Any]:
    """
    Make an array of so many bytes.
    """
    return np.random.default_rng(0).random(size // 8)


def make_frame(size: int) -> Any:
    """
    Make a frame of so many bytes: numbers, which every peer is quickest with.
    """
    rows = size // 8 // COLUMNS
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {f"x{i}": rng.random(rows) for i in range(COLUMNS - 2)}
    columns["group"] = rng.integers(0, 1000, rows)
    columns["count"] = np.arange(rows)
    return pd.DataFrame(columns)


def make_mixed(columns: int, rows: int = 10_000) -> Any:
    """
    Make a frame whose columns take turns between seven types.
    """
    numbers = np.arange(rows)
    words = pd.Series(numbers % 100).astype(str)
    kinds = [
        numbers * 0.5,
        numbers,
        words,
        words.astype("category"),
        pd.Timestamp("2013-01-01") + pd.to_timedelta(numbers, unit="s"),
        pd.array(numbers, dtype="Int32"),
        numbers % 2 == 0,
    ]
    return pd.DataFrame({f"column {i}": kinds[i % len(kinds)] for i in range(columns)})


def strided_sum(frame: Any) -> float:
    """
    Add up a few rows, far from each other, of every column.
    """
    return float(sum(frame[name].to_numpy()[::STRIDE].sum() for name in frame))


def meet(folder: str, count: int) -> int:
    """
    Wait until so many processes are here; each does one such task then.

    Args:
        folder: An empty folder that they all know.
        count: How many processes.

    Returns:
        The number of this process.
    """
    place = Path(folder)
    (place / str(os.getpid())).touch()
    if not wait_until(lambda: len(list(place.iterdir())) >= count, MEET_S):
        raise RuntimeError(f"not all of {count} workers came within {MEET_S} s")
    return os.getpid()


def hold_all(frame: Any, folder: str, count: int) -> int:
    """
    Read all of a frame, keep it for good, and `meet` the others that do.
    """
    for name in frame:
        frame[name].to_numpy().sum()
    _held.append(frame)
    return meet(folder, count)


def load(data: bytes, keep: bool = False) -> None:
    """
    Load what was pickled for this process, in place of what is kept here.

    Args:
        data: The pickle.
        keep: Keep it until the next.
    """
    _held.clear()
    found = pickle.loads(data)
    if keep:
        _held.append(found)


def fetch_often(proxy: Any, count: int, mapped: bool) -> list[float]:
    """
    Fetch an array.

    Args:
        proxy: Its proxy.
        count: How often.
        mapped: The array is mapped here all the time; otherwise never before a fetch.

    Returns:
        The milliseconds of each.
    """
    kept = fetch(proxy) if mapped else None
    times = []
    for _ in range(count):
        began = time.perf_counter()
        found = fetch(proxy)
        times.append(1e3 * (time.perf_counter() - began))
        assert found[-1] >= 0
        del found
    del kept
    return times
