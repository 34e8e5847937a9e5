"""
Seen: which pools there are, what they were given, and how far their workers are.

For a task, the notebook adds to a number. All else is worked out when somebody looks.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from ..stats.workers import process_name
from .calls import batch_of
from .features import Feature, features
from .meter_reading import mark_collected, read_meter
from .metering import add_meter
from .notebook import notebook
from .pool_state import drained, end_of
from .runs import runs
from .seen_failures import Failures
from .seen_rows import (
    LONG_KEPT_S,
    Look,
    pool_row,
    run_row,
    task_rows,
    unseen_states,
    worker_state,
)
from .seen_sources import options
from .seen_state import SeenPool, SeenRun, SeenWorker
from .seen_tasks import NOTHING, ref_to, size_of
from .tasks import function_of, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..stats.task_rows import RunRow
    from .features import Call
    from .meter_reading import Long
    from .seen_tasks import Last
    from .slots import Slots
    from .tasks import Task

__all__ = ["Seen", "look", "worker_pids"]

#: Seconds without a task after which a run is over.
OVER_S = 2.0
#: Runs that are over, and pools that have ended, which are remembered.
RUNS_KEPT = 100
POOLS_KEPT = 100
#: Workers that have ended, whose counts are remembered.
ENDS_KEPT = 100


NO_LOOK = Look((), (), 0, (), (), (), {})


class Seen(Feature):
    """
    Remembers pools and runs.

    Args:
        slots: What has the board, and on it the meters.
    """

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        # Held while pools and runs begin and end, and while somebody looks.
        self._lock = threading.RLock()
        self._is_closed = False
        self._pools: dict[int, SeenPool] = {}
        self._by_identity: dict[int, SeenPool] = {}
        self._runs: dict[int, SeenRun] = {}
        self._over: deque[RunRow] = deque(maxlen=RUNS_KEPT)
        self._longs: deque[tuple[int, Long]] = deque(maxlen=200)
        self._failures = Failures()
        self._ended_tasks: dict[int, int] = {}
        self._pool_count = 0
        self.run_count: int = 0
        #: Runs for which a pool has taken no task, because it was broken or closed.
        self._refused = 0
        # What was submitted last: a map submits the same object many times.
        # The function inside comes last: each batch of joblib is an object of its own.
        self._last: Last = NOTHING

    def close(self) -> None:
        """
        Look no more: the board closes.
        """
        with self._lock:
            self._is_closed = True

    # What pools tell.

    def worker_start(self, pool: Any) -> Call:
        """
        Let each worker count.
        """
        return add_meter, (self._pool_of(pool, seen=True).number, options.arguments)

    def pool_made(self, pool: Any) -> None:
        """
        Note what the pool is.
        """
        self._pool_of(pool, seen=True).describe()

    def before_submit(self, task: Task) -> None:
        """
        Tell the worker for which run it counts the task.
        """
        now = time.monotonic()
        original, pool, run, inner = self._last
        if original() is not task.original or pool() is not task.pool or run is None:
            found = function_of(task.original)
            if found is not inner() or pool() is not task.pool:
                run = self._run_of(task, found, now)
            self._remember(task, run, found)
        if run is not None and (run.ended is not None or now - run.submitted > OVER_S):
            found = function_of(task.original)
            run = self._run_of(task, found, now)
            self._remember(task, run, found)
        if run is None:
            return
        task.notes["work"] = run.number
        if task.taken is not None:
            run.taken.append(task.taken)
        else:
            task.size = size_of(task)

    def _remember(self, task: Task, run: SeenRun | None, found: Any) -> None:
        # By weak references: a function may hold data that is to go with its task.
        self._last = (ref_to(task.original), ref_to(task.pool), run, ref_to(found))

    def after_submit(self, task: Task, result: Any) -> None:
        """
        Count the task.
        """
        run = self._runs.get(task.notes.get("work", 0))
        if run is None:
            return
        if task.taken is None:
            run.add(task.size, time.monotonic())
            run.is_map = task.is_map
            if task.size > 1 and not task.is_map and batch_of(task.original):
                run.last_batch = weakref.ref(result)
        else:
            run.add(0, time.monotonic())

    def cell_ends(self, error: BaseException | None) -> None:
        """
        Let go of what was submitted, and take what ended workers have counted.

        A run that has nothing left is over: the next cell begins one of its own.
        """
        self._last = NOTHING
        if self._runs:
            self.look({}, over_s=0.0)

    def _pool_of(self, pool: Any, *, seen: bool = False) -> SeenPool:
        known = self._by_identity.get(id(pool))
        if known is not None and known.get() is pool:
            return known
        with self._lock:
            self._pool_count += 1
            number = self._pool_count
            made = SeenPool(number, weakref.ref(pool), seen=seen)
            made.since = time.monotonic()
            if not seen:
                # It was made before; its workers do not count.
                made.describe()
            self._by_identity[id(pool)] = self._pools[number] = made
        return made

    def _run_of(self, task: Task, found: Any, now: float) -> SeenRun | None:
        pool = self._pool_of(task.pool)
        pool.is_used = True
        if not pool.seen:
            return None
        name = name_of(found)
        module = str(getattr(found, "__module__", ""))
        run = pool.runs.get((name, module))
        if run is not None and now - run.submitted <= OVER_S:
            return run
        with self._lock:
            if run is not None:
                self.look({})
            run = pool.runs.get((name, module))
            if run is not None and run.ended is None:
                return run
            self.run_count += 1
            run = SeenRun(self.run_count, pool, name, module)
            run.first = run.submitted = now
            run.cell, run.cell_run = notebook.cell, runs.of(task.pool).number
            if options.sources is not None:
                run.handed_before = options.sources.handed()
                run.waits_before = options.sources.waits()
            pool.runs[name, module] = self._runs[run.number] = run
        return run

    # What is told to those who look.

    def look(self, waited: Mapping[int, float], over_s: float = OVER_S) -> Look:
        """
        Read what all workers have counted.

        Args:
            waited: Seconds that connected processes have waited, by their number.
            over_s: A run is over that had no task for so many seconds.
        """
        with self._lock:
            if self._is_closed:
                return NO_LOOK
            now = time.monotonic()
            longs = self._read(now)
            over = [
                run for run in self._runs.values() if self._settle(run, now, over_s)
            ]
            if over:
                # Tasks may have ended since they were read, and before the pool told
                # that it has none.
                longs = self._read(now)
            for run in over:
                if self._settle(run, now, over_s):
                    run.ended = max(run.last, run.first)
                    if not run.is_given:
                        self._drop(run)
                        self._refused += 1
            self._note_ends(now)
            given = [run for run in self._runs.values() if run.is_given]
            refused = self._refused + len(self._runs) - len(given)
            rows = [run_row(run, now, waited) for run in given]
            for row in rows:
                if row.ended is not None:
                    self._forget(row)
            self._let_go()
            states = [
                worker_state(pool, worker, now, waited)
                for pool in self._pools.values()
                for worker in pool.workers.values()
                if worker.ended is None
            ]
            pools = [pool for pool in self._pools.values() if pool.is_used]
            for pool in pools:
                if not pool.seen and pool.ended is None:
                    states += unseen_states(pool)
            return Look(
                tuple(map(pool_row, pools)),
                (*self._over, *(row for row in rows if row.ended is None)),
                self.run_count - refused,
                tuple(states),
                task_rows(states, longs),
                self._failures.rows(),
                self._ended_tasks.copy(),
            )

    def _read(self, now: float) -> list[tuple[int, Long]]:
        board = self._slots.board
        longs: list[tuple[int, Long]] = []
        for slot, pid in board.used():
            if board.is_collected(slot):
                continue
            memory = board.meter(slot)
            is_alive = board.is_alive(slot, pid)
            # Only now: what it has counted until its end is there.
            reading = read_meter(memory, now - LONG_KEPT_S)
            if reading is None:
                continue
            pool = self._pools.get(reading.pool)
            if pool is None:
                if not is_alive:
                    mark_collected(memory)
                continue
            worker = pool.workers.get(reading.id)
            if worker is None:
                worker = pool.workers[reading.id] = SeenWorker(pid, reading)
            worker.reading = reading
            for number, cell in reading.cells.items():
                run = self._runs.get(cell.run)
                if run is not None:
                    run.cells[reading.id, number] = cell
            longs += [(pid, long) for long in reading.longs]
            self._failures.read(reading, pid, self._runs)
            if not is_alive:
                if worker.ended is None:
                    self._has_ended(worker, now)
                mark_collected(memory)
                self._longs += [(pid, long) for long in reading.longs]
        kept = [each for each in self._longs if each[1].ended > now - LONG_KEPT_S]
        return [*(each for each in kept if each not in longs), *longs]

    def _has_ended(self, worker: SeenWorker, now: float) -> None:
        reading = worker.reading
        run = self._runs.get(reading.hand)
        if run is not None:
            is_ours = worker.pid not in options.killed and (
                end_of(run.pool.get()) is not None
                or self._slots.board.is_interrupted(run.cell_run)
            )
            # Its pool has ended it, or an Interrupt.
            if is_ours:
                run.cancelled += reading.left
            else:
                run.lost += reading.left
                words = f"{process_name(worker.pid)} was killed"
                run.killed[worker.pid] = words
                self._failures.lost(run, reading, worker.pid, now, words)
        worker.ended = now
        # The system may give its number to another process.
        self._ended_tasks.pop(worker.pid, None)
        self._ended_tasks[worker.pid] = worker.tasks
        if len(self._ended_tasks) > ENDS_KEPT:
            del self._ended_tasks[next(iter(self._ended_tasks))]

    def _settle(self, run: SeenRun, now: float, over_s: float) -> bool:
        """
        See which tasks will not be begun any more; give whether the run is over.
        """
        run.dropped = 0
        for worker in run.pool.workers.values():
            if worker.ended is None and worker.reading.hand == run.number:
                return False
        pool, left = run.pool.get(), run.left
        if left > 0:
            if not drained(pool, run.number):
                return False
            run.dropped = left
        if end_of(pool) and drained(pool, run.number):
            return True
        return now - max(run.last, run.submitted) >= over_s

    def _note_ends(self, now: float) -> None:
        for known in self._pools.values():
            how = end_of(known.get()) if known.ended is None else None
            if how is not None:
                cells = [run.cell_run for run in known.runs.values()]
                was_cut = any(map(self._slots.board.is_interrupted, cells))
                known.ended = now
                known.how = "interrupted" if was_cut and how == "closed" else how

    def _let_go(self) -> None:
        """
        Let go of workers that have ended, and of pools where there are many.
        """
        for number, known in list(self._pools.items()):
            if not known.runs:
                # Nobody asks any more what they did.
                for key, worker in list(known.workers.items()):
                    if worker.ended is not None:
                        del known.workers[key]
            is_gone = known.get() is None and not known.workers
            if is_gone and len(self._pools) > POOLS_KEPT:
                del self._pools[number]
                for identity, other in list(self._by_identity.items()):
                    if other is known:
                        del self._by_identity[identity]

    def _forget(self, row: RunRow) -> None:
        if not any(row.id == other.id for other in self._over):
            self._over.append(row)
        self._drop(self._runs[row.id])
        self._failures.forget(row.id)

    def _drop(self, run: SeenRun) -> None:
        key = run.function, run.module
        if run.pool.runs.get(key) is run:
            del run.pool.runs[key]
        del self._runs[run.number]


def look(waited: Mapping[int, float]) -> Look:
    """
    Read what the workers of this process's pools have counted.

    Args:
        waited: Seconds that connected processes have waited, by their number.
    """
    for feature in features.all:
        if isinstance(feature, Seen):
            return feature.look(waited)
    return NO_LOOK


def worker_pids() -> set[int]:
    """
    Return the workers of pools that lived when somebody looked last.
    """
    return {
        worker.pid
        for feature in features.all
        if isinstance(feature, Seen)
        for pool in list(feature._pools.values())
        for worker in list(pool.workers.values())
        if worker.ended is None
    }
