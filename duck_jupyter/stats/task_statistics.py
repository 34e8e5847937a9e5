"""
TaskStatistics: what is seen of the tasks of a process's pools.
"""

from __future__ import annotations

import msgspec

from .task_rows import PoolRow, RunRow, TaskRow
from .worker_rows import WorkerRow

__all__ = ["TaskStatistics"]


class TaskStatistics(msgspec.Struct, frozen=True):
    """
    What pools compute, at one moment. It never changes.
    """

    #: Pools that were given a task, in the order of their making.
    pools: tuple[PoolRow, ...] = ()
    #: Those that go on, and the last 100 that are over, in the order of starting.
    runs: tuple[RunRow, ...] = ()
    #: Processes of pools, and those that call the server or hold versions.
    workers: tuple[WorkerRow, ...] = ()
    #: Tasks of half a second or longer that run, or ended in the last 10 seconds.
    tasks: tuple[TaskRow, ...] = ()
    #: How many runs there were in all.
    run_count: int = 0
