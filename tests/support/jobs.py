"""
Functions that run in workers, which import them by name.
"""

from __future__ import annotations

from typing import Any

__all__ = ["add", "ask_shared", "length", "record"]


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
