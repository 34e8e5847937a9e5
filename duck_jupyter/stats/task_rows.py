"""
Rows of tasks: what the pools of a notebook compute, each fact in one place.

As in `rows`: times are seconds since the epoch, durations are seconds, sizes are bytes,
and None is what is not known. ``labextension/src/snapshot.ts`` is generated from it.
Counters only grow, so that the difference of two snapshots is what happened in between.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "Kind",
    "PoolEnd",
    "PoolRow",
    "RunRow",
    "Slow",
    "Spent",
    "TaskFailure",
    "TaskRow",
    "WaitedOn",
    "WorkerState",
]

#: What made a pool. joblib's pools of processes of multiprocessing are "joblib" too.
Kind = Literal["ProcessPoolExecutor", "Pool", "loky", "joblib"]
#: Why a pool does no more tasks. "interrupted": all that it had was interrupted.
PoolEnd = Literal["closed", "broken", "interrupted"]
#: "unseen": it is no pool's worker, or its pool was made before the extension was
#: loaded.
WorkerState = Literal["starting", "computing", "waiting", "idle", "unseen"]


class PoolRow(msgspec.Struct, frozen=True):
    """
    A pool that was given a task.
    """

    id: int
    kind: Kind
    #: How many workers it has at most.
    size: int
    #: False where it was made before the extension was loaded: its tasks are not seen.
    seen: bool
    since: float
    ended: float | None
    how: PoolEnd | None


class Spent(msgspec.Struct, frozen=True):
    """
    Where the time of a run's workers went, in seconds of all workers together.
    """

    #: From the start of a process to its first task: imports and unpickling.
    starting: float
    computing: float
    #: In calls of proxies.
    waiting: float
    #: Without a task, while the pool had some that no worker had begun.
    no_task_queued: float
    #: The same, while it had none.
    no_task_empty: float

    @property
    def in_all(self) -> float:
        """
        The sum of all.
        """
        idle = self.no_task_queued + self.no_task_empty
        return self.starting + self.computing + self.waiting + idle


class WaitedOn(msgspec.Struct, frozen=True):
    """
    How long a run's workers waited on a shared object, in seconds of all together.
    """

    #: The path of the object.
    object: str
    seconds: float


class Slow(msgspec.Struct, frozen=True):
    """
    One of the slowest tasks of a run.
    """

    seconds: float
    #: In short, as ``'UA', 7``; empty where they are not known.
    arguments: str
    pid: int
    #: When it ended.
    when: float


class RunRow(msgspec.Struct, frozen=True):
    """
    One function in one pool, until none of its tasks is queued or in hand for 2 s.

    A task is an item, also where the pool sends several together. Each is counted as
    one of `done`, `lost`, `cancelled`, `in_hand` and `queued`.
    """

    id: int
    pool: int
    #: Its ``__qualname__``.
    function: str
    module: str
    #: How many tasks the pool was given until now.
    total: int
    #: False while more may come.
    total_known: bool
    #: Tasks that have ended, those that failed among them.
    done: int
    #: Tasks that raised.
    failed: int
    #: Tasks whose worker was killed.
    lost: int
    #: Tasks that were never begun, and will not be.
    cancelled: int
    in_hand: int
    queued: int
    #: When its first task was submitted, and when its last one began or ended.
    first: float
    last: float
    #: None while it goes on.
    ended: float | None
    #: The number of the cell that submitted its first task, In [number].
    cell: int | None
    #: The median of the durations of tasks that ended.
    each_p50: float | None
    spent: Spent
    #: The first three.
    waited_on: tuple[WaitedOn, ...]
    #: The slowest five that ended, the slowest first.
    slowest: tuple[Slow, ...]
    #: How often its tasks were handed a shared object, and the bytes that were not
    #: copied for it.
    handed_over: int
    not_copied: int
    #: Workers of its pool that take part, at most at once.
    size: int
    #: Failed tasks by the type of their error, the most first.
    failures: tuple[tuple[str, int], ...] = ()
    #: Workers that were killed at its tasks, in words.
    killed: tuple[str, ...] = ()
    #: One sentence about why it is not faster; empty where there is nothing to say.
    advice: str = ""

    @property
    def worth(self) -> float:
        """
        How many workers would have done its work in the same time without any pause.
        """
        took = (self.ended or self.last) - self.first
        return self.spent.computing / took if took > 0 else 0.0


class TaskFailure(msgspec.Struct, frozen=True):
    """
    The error that a task raised.
    """

    type: str
    message: str


class TaskRow(msgspec.Struct, frozen=True):
    """
    A task that took half a second or longer, or has been running for as long.
    """

    pid: int
    run: int
    start: float
    #: None while it runs.
    end: float | None
    #: In calls of proxies.
    waited: float
    arguments: str
    failed: TaskFailure | None
