"""
What a notebook runs for the benchmark of pools; a kernel imports it.

Each pair of measures is taken by turns, in the same kernel, so that what else the
machine does meets both.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["by_turns", "empty", "maps", "one_ms", "read_inherited"]

WORKERS = 2
DEADLINE_S = 60.0


def empty(item: Any) -> None:
    """
    Do nothing.
    """


def one_ms(item: Any) -> None:
    """
    Compute for a millisecond.
    """
    end = time.perf_counter() + 1e-3
    while time.perf_counter() < end:
        pass


def maps(stack: ExitStack, kind: str) -> Callable[[Any, int], object]:
    """
    Open a pool, and give a function that maps another one over so many items.

    Args:
        stack: Closes the pool.
        kind: ``executor METHOD``, ``pool METHOD``, ``loky`` or ``joblib``.
    """
    maker, _, method = kind.partition(" ")
    if maker == "joblib":
        import joblib

        parallel = stack.enter_context(joblib.Parallel(WORKERS))
        return lambda work, count: parallel(
            joblib.delayed(work)(item) for item in range(count)
        )
    if maker == "pool":
        pool = stack.enter_context(multiprocessing.get_context(method).Pool(WORKERS))
        return lambda work, count: pool.map_async(work, range(count)).get(DEADLINE_S)
    executor: Any
    if maker == "loky":
        import loky

        executor = loky.ProcessPoolExecutor(WORKERS)
    else:
        context = multiprocessing.get_context(method)
        executor = ProcessPoolExecutor(WORKERS, context)
    stack.enter_context(executor)
    return lambda work, count: list(executor.map(work, range(count)))


def by_turns(
    runs: int, *measured: tuple[Callable[[], object], Callable[[], object]]
) -> list[float]:
    """
    Time some things by turns, and give the median of each, in seconds.

    Args:
        runs: How often.
        measured: What prepares each, and what is timed.
    """
    times: list[list[float]] = [[] for _ in measured]
    for turn in range(runs + 1):
        for (prepare, work), found in zip(measured, times, strict=True):
            prepare()
            began = time.perf_counter()
            work()
            took = time.perf_counter() - began
            if turn:  # the first one warms up
                found.append(took)
    return [statistics.median(found) for found in times]


def read_inherited(runs: int, work: Any, count: int, on: Any, off: Any) -> list[float]:
    """
    Time tasks that read what forked workers inherited, with the extension and without.

    Args:
        runs: How often.
        work: The function.
        count: How many tasks.
        on: Installs the features.
        off: Takes them out.
    """
    with ExitStack() as stack:
        on()
        ours = maps(stack, "executor fork")
        ours(work, 1)
        off()
        theirs = maps(stack, "executor fork")
        theirs(work, 1)
        return by_turns(
            runs,
            (on, lambda: ours(work, count)),
            (off, lambda: theirs(work, count)),
        )
