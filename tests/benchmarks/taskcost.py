"""
What it costs that tasks are seen: for the benchmark of pools, in a kernel.
"""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from duck_jupyter.pools import worker
from duck_jupyter.pools.board import Board
from duck_jupyter.pools.features import features
from duck_jupyter.pools.meter import Meter
from duck_jupyter.pools.progress import Progress
from duck_jupyter.pools.seen import Seen
from duck_jupyter.pools.slots import Slot
from duck_jupyter.pools.tasks import Task

from .poolcells import by_turns, empty, maps

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_kernel_us", "in_worker_us", "seen_and_unseen"]

TASKS = 2000


def seen_and_unseen(kind: str, work: Any, count: int, runs: int) -> list[float]:
    """
    Time a map whose tasks are seen, and by turns the same ones unseen, in one pool.
    """
    full = features.all
    less = tuple(each for each in full if not isinstance(each, (Seen, Progress)))

    def turn_to(those: Any) -> Callable[[], object]:
        return lambda: setattr(features, "all", those)

    with ExitStack() as stack:
        run = maps(stack, kind)
        run(work, 4)
        try:
            return by_turns(
                runs,
                (turn_to(full), lambda: run(work, count)),
                (turn_to(less), lambda: run(work, count)),
            )
        finally:
            features.all = full


def in_worker_us(runs: int) -> float:
    """
    Measure what counting a task takes in a worker, in microseconds of its processor.
    """
    board = Board()
    board.claim()
    slot = Slot(board)
    slot._sees_results = False
    meter = Meter(board.meter(), 1, 1)
    before, worker.features[:] = list(worker.features), [slot]
    try:
        times: list[list[float]] = [[], []]
        for _ in range(runs + 1):
            for found, counts in zip(times, (meter, None), strict=True):
                slot.meter = counts
                notes = {"run": 1, "work": 1} if counts else {"run": 1}
                task = worker.Running(empty, 1, notes)
                began = time.thread_time()
                for item in range(TASKS):
                    task.function = empty
                    task(item)
                found.append((time.thread_time() - began) / TASKS)
        seen, unseen = (statistics.median(found) for found in times)
        return (seen - unseen) * 1e6
    finally:
        worker.features[:] = before


def in_kernel_us(runs: int) -> float:
    """
    Measure what seeing a task takes where it is submitted, in the same unit.
    """
    (seen,) = [each for each in features.all if isinstance(each, Seen)]
    with ExitStack() as stack:
        maps(stack, "executor fork")
        pool = list(seen._pools.values())[-1].get()
        times = []
        for _ in range(runs + 1):
            tasks = [Task(pool, empty, (1,), {}) for _ in range(TASKS)]
            began = time.thread_time()
            for task in tasks:
                seen.before_submit(task)
                seen.after_submit(task, None)
            times.append((time.thread_time() - began) / TASKS)
    return statistics.median(times) * 1e6
