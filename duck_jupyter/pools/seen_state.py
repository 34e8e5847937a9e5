"""
What the notebook remembers of pools whose tasks are seen: pools, runs, workers.

Nothing of it grows with the number of tasks. Times are monotonic seconds.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from .pool_state import kind_of

if TYPE_CHECKING:
    import weakref

    from ..stats.task_rows import Kind, PoolEnd
    from .meter_reading import Cell, Reading

__all__ = ["SeenPool", "SeenRun", "SeenWorker"]


class SeenWorker:
    """
    One worker of a pool, as it was read last.
    """

    def __init__(self, pid: int, reading: Reading) -> None:
        self.pid = pid
        self.reading = reading
        #: When it was found to have ended.
        self.ended: float | None = None

    @property
    def tasks(self) -> int:
        """
        How many tasks it has ended.
        """
        return self.reading.past[0] + sum(
            cell.done for cell in self.reading.cells.values()
        )

    @property
    def last(self) -> float:
        """
        When it was known to work last.
        """
        reading = self.reading
        times = [cell.ended for cell in reading.cells.values()]
        return max(reading.started, reading.ready, reading.since, *times)


class SeenRun:
    """
    One function in one pool, until none of its tasks is queued or in hand for 2 s.
    """

    def __init__(self, number: int, pool: SeenPool, name: str, module: str) -> None:
        self.number = number
        self.pool = pool
        self.function = name
        self.module = module
        self.first: float = 0.0
        self.submitted: float = 0.0
        #: How many tasks each thread has submitted, which so needs no lock.
        self.by_thread: dict[int, int] = {}
        #: For each `imap`, how many items were taken, and whether that is all.
        self.taken: list[list[int]] = []
        self.is_map = False
        #: What a pool gave for the last batch of joblib.
        self.last_batch: weakref.ref[Any] | None = None
        self.cell: int | None = None
        #: The number of the cell's run, by which the board knows an Interrupt.
        self.cell_run = 0
        #: By the number of the worker's meter and of the cell in it.
        self.cells: dict[tuple[int, int], Cell] = {}
        self.lost = 0
        #: Workers that were killed at its tasks, in words, until more is known.
        self.killed: dict[int, str] = {}
        #: Tasks that were in hand of a worker that was ended on purpose.
        self.cancelled = 0
        #: Tasks that the pool has no more, though none of its workers has begun them.
        self.dropped = 0
        self.ended: float | None = None
        #: Hand-overs, bytes not copied, and waits by object, before it began.
        self.handed_before: tuple[int, int] = (0, 0)
        self.waits_before: dict[str, float] = {}

    def add(self, count: int, now: float) -> None:
        """
        Note that tasks were submitted.
        """
        thread = threading.get_ident()
        self.by_thread[thread] = self.by_thread.get(thread, 0) + count
        self.submitted = now

    @property
    def is_given(self) -> bool:
        """
        Whether the pool has taken a task.
        """
        return bool(self.by_thread or self.cells)

    @property
    def total(self) -> int:
        """
        How many tasks the pool was given.
        """
        given = sum(self.by_thread.copy().values())
        given += sum(taken[0] for taken in self.taken)
        return max(given, sum(cell.begun for cell in self.cells.values()))

    @property
    def done(self) -> int:
        """
        How many tasks have ended.
        """
        return sum(cell.done for cell in self.cells.values())

    @property
    def left(self) -> int:
        """
        How many tasks have not ended in some way, as far as workers know.
        """
        cut = sum(cell.cut for cell in self.cells.values())
        return self.total - self.done - cut - self.lost - self.cancelled

    @property
    def last(self) -> float:
        """
        When something happened last.
        """
        times = [max(cell.began, cell.ended) for cell in self.cells.values()]
        return max(times, default=self.submitted)


class SeenPool:
    """
    A pool that was made, or given a task.

    Args:
        number: Its number.
        get: Gives the pool, or None once it has been collected.
        seen: Whether its workers count.
    """

    def __init__(self, number: int, get: weakref.ref[Any], *, seen: bool) -> None:
        self.number = number
        self.get = get
        self.seen = seen
        self.kind: Kind = "Pool"
        self.size: int = 0
        self.since: float = 0.0
        self.ended: float | None = None
        self.is_used = False
        self.how: PoolEnd | None = None
        #: Those that go on, by function and module.
        self.runs: dict[tuple[str, str], SeenRun] = {}
        #: By the number of their meter.
        self.workers: dict[int, SeenWorker] = {}

    def describe(self) -> None:
        """
        Note kind and size, which a pool has once it is made.
        """
        pool = self.get()
        self.kind = kind_of(pool)
        size = getattr(pool, "_max_workers", None) or getattr(pool, "_processes", None)
        self.size = size if isinstance(size, int) else 0
