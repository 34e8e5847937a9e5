"""
The part of the made-up snapshot that tells of tasks.
"""

from __future__ import annotations

import msgspec

from duck_jupyter.stats.task_rows import (
    PoolRow,
    RunRow,
    Slow,
    Spent,
    TaskFailure,
    TaskRow,
    WaitedOn,
)

__all__ = ["BEGAN", "NOW", "pools", "runs", "tasks"]

#: The moment of the snapshot, and when its server was made.
NOW = 1_790_000_000.5
BEGAN = 1_789_999_000.25
LR_FAILED = TaskFailure("ValueError", "lr must be below 0.1")


def tasks() -> list[TaskRow]:
    """
    Give a task that runs, and one that has failed.
    """
    return [
        TaskRow(4101, 14, NOW - 7.5, None, 0.25, "depth=8, lr=0.03", None),
        TaskRow(4102, 14, NOW - 2, NOW - 1.25, 0.0, "depth=4, lr=0.1", LR_FAILED),
    ]


def pools() -> list[PoolRow]:
    """
    Give a pool at work, one that broke, and one that was made too early.
    """
    return [
        PoolRow(1, "Pool", 4, True, BEGAN + 1, NOW - 60, "broken"),
        PoolRow(2, "joblib", 2, False, BEGAN + 2, None, None),
        PoolRow(3, "ProcessPoolExecutor", 2, True, BEGAN + 2, None, None),
    ]


def runs() -> list[RunRow]:
    """
    Give a run that is over, and one that goes on.
    """
    over = RunRow(
        id=13,
        pool=1,
        function="score",
        module="__main__",
        total=36,
        total_known=True,
        done=34,
        failed=3,
        lost=1,
        cancelled=1,
        in_hand=0,
        queued=0,
        first=NOW - 98,
        last=NOW - 80,
        ended=NOW - 80,
        cell=5,
        each_p50=2.5,
        spent=Spent(1.5, 50.25, 18.0, 0.25, 2.0),
        waited_on=(WaitedOn("cache", 17.5), WaitedOn("df", 0.5)),
        slowest=(Slow(3.125, "'UA', 7", 4104, NOW - 81), Slow(3, "", 4103, NOW - 90)),
        handed_over=24,
        not_copied=100_663_296,
        size=4,
        failures=(("ValueError", 2), ("KeyError", 1)),
        advice="Its workers wait on cache for a quarter of their time.",
    )
    going_on = msgspec.structs.replace(
        over,
        id=14,
        pool=3,
        function="fit",
        total=4_096,
        total_known=False,
        done=1_548,
        failed=1,
        lost=0,
        cancelled=0,
        in_hand=2,
        queued=2_546,
        first=NOW - 42,
        last=NOW - 0.5,
        ended=None,
        cell=None,
        each_p50=None,
        waited_on=(),
        slowest=(),
        size=2,
        failures=(),
        advice="",
    )
    return [over, going_on]
