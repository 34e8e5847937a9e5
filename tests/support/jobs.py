"""
Functions that run in workers, which import them by name.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "add",
    "ask_shared",
    "fetch_and_add",
    "fetch_total",
    "length",
    "record",
    "total",
    "write_first",
]


def add(counter: Any, count: int) -> None:
    """
    Count up a number in a dict, one piece at a time and with nobody between.
    """
    from duck_jupyter import locked

    for _ in range(count):
        with locked(counter) as one:
            one["n"] += 1


def length(proxy: Any) -> int:
    """
    Give the length of an object.
    """
    return len(proxy)


def record(results: Any, number: int) -> None:
    """
    Put a result under a number.
    """
    results[number] = number * number


def ask_shared(name: str) -> Any:
    """
    Ask the worker's own `shared` for a name.
    """
    from duck_jupyter import shared

    return getattr(shared, name)


def total(data: Any) -> float:
    """
    Add up an array, or the first column of a frame.
    """
    column = data.iloc[:, 0] if hasattr(data, "iloc") else data
    return float(column.sum())


def write_first(data: Any, value: float) -> tuple[float, float]:
    """
    Write to the first place of an array, and give what was there and what is now.
    """
    before = float(data[0])
    data[0] = value
    return before, float(data[0])


def fetch_total(proxy: Any) -> float:
    """
    Fetch the object of a proxy, and add it up.
    """
    from duck_jupyter.client.fetching import fetch

    return total(fetch(proxy))


def fetch_and_add(proxy: Any, value: float) -> float:
    """
    Fetch the array of a proxy, add to its first place, and give what is there then.
    """
    from duck_jupyter.client.fetching import fetch

    array = fetch(proxy)
    array[0] += value
    return float(array[0])


def call(function: Any, *args: Any) -> Any:
    """
    Call a function.
    """
    return function(*args)


def grouped(frame: Any) -> Any:
    """
    Give the sums of the groups of a frame, as the frame itself gives them.
    """
    return frame.groupby("a").sum()
