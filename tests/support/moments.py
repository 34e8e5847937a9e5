"""
Submitting in a loop that changes the data between two tasks, in pools of all kinds.
"""

from __future__ import annotations

import importlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.support.pools import DEADLINE_S, WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

__all__ = ["ends_of", "ends_of_item", "ends_when", "submit_all"]


def ends_of(array: Any, *_: Any) -> tuple[int, int]:
    """
    Give the first and the last element: they differ in a torn state.
    """
    return int(array[0]), int(array[-1])


def ends_of_item(item: Any) -> tuple[int, int]:
    """
    Give the ends of an array that lies deep in containers.
    """
    return ends_of(item["a"][0][1])


def ends_when(event: Event, array: Any) -> tuple[int, int]:
    """
    Give the ends after a while.
    """
    event.wait(DEADLINE_S)
    return ends_of(array)


def submit_all(
    kind: str, work: Callable[..., Any], calls: Iterator[tuple[Any, ...]]
) -> list[Any]:
    """
    Submit one task for each call, and give the results.

    Args:
        kind: One of `tests.support.pools.POOLS`, but none of joblib's.
        work: The function.
        calls: Gives the arguments of the next call when that is submitted.
    """
    maker, _, method = kind.partition(" ")
    if maker == "pool":
        with multiprocessing.get_context(method).Pool(WORKERS) as pool:
            results = [pool.apply_async(work, call) for call in calls]
            found = [result.get(DEADLINE_S) for result in results]
            pool.close()
            pool.join()
        return found
    if maker == "loky":
        executor = importlib.import_module("loky").ProcessPoolExecutor(WORKERS)
    else:
        context = multiprocessing.get_context(method)
        executor = ProcessPoolExecutor(WORKERS, context)
    with executor:
        futures = [executor.submit(work, *call) for call in calls]
        return [future.result(DEADLINE_S) for future in futures]
