"""
Rows of what was seen: readings of meters, put together.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec.structs import replace

from ..stats.insight import advice_for
from ..stats.joining import WorkerState
from ..stats.shares import Life, Window, median_of, spent_by
from ..stats.task_rows import PoolRow, RunRow, Slow, TaskFailure, TaskRow, WaitedOn
from ..stats.workers import process_name
from .clock import epoch_offset
from .meter import LONG_S
from .pool_state import end_of, processes_of
from .seen_failures import failures_of
from .seen_sources import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..stats.rows import ErrorRow
    from .meter_reading import Long, Reading
    from .seen_state import SeenPool, SeenRun, SeenWorker

__all__ = [
    "LONG_KEPT_S",
    "Look",
    "pool_row",
    "run_row",
    "task_rows",
    "unseen_states",
    "worker_state",
]

#: Seconds for which a long task is told after its end.
LONG_KEPT_S = 10.0
#: Seconds in which the total of a run must not have grown, to be taken as known.
KNOWN_S = 2.0
MOST_SLOW = 5
MOST_WAITED_ON = 3


class Look(NamedTuple):
    """
    What was seen at one moment.
    """

    pools: tuple[PoolRow, ...]
    runs: tuple[RunRow, ...]
    run_count: int
    workers: tuple[WorkerState, ...]
    #: Long tasks: those that run, and those that ended lately.
    tasks: tuple[TaskRow, ...]
    errors: tuple[ErrorRow, ...]
    #: How many tasks workers had ended that are no more, by process.
    ended_tasks: Mapping[int, int]


def run_row(run: SeenRun, now: float, waited: Mapping[int, float]) -> RunRow:
    """
    Describe a run.
    """
    offset = epoch_offset()
    cells = list(run.cells.values())
    workers = list(run.pool.workers.values())
    at_work = [
        worker.reading
        for worker in workers
        if worker.ended is None and worker.reading.hand == run.number
    ]
    done, cut = run.done, sum(cell.cut for cell in cells)
    cancelled = run.cancelled + run.dropped + cut
    left = max(run.total - done - cancelled - run.lost - len(at_work), 0)
    slowest = [
        Slow(slow.seconds, slow.arguments, _pid_of(workers, key), slow.when + offset)
        for key, cell in run.cells.items()
        for slow in cell.slowest
    ]
    slowest.sort(key=lambda each: -each.seconds)
    window = _window_of(run, now)
    ends = _ends(run.pool)
    spent = spent_by(
        [_life_of(run, each, now, waited, ends.get(each)) for each in workers], window
    )
    row = RunRow(
        id=run.number,
        pool=run.pool.number,
        function=run.function,
        module=run.module,
        total=run.total,
        total_known=_is_known(run, now),
        done=done,
        failed=sum(cell.failed for cell in cells),
        lost=run.lost,
        cancelled=cancelled,
        in_hand=len(at_work),
        queued=left,
        first=run.first + offset,
        last=run.last + offset,
        ended=None if run.ended is None else run.ended + offset,
        cell=run.cell,
        each_p50=median_of(
            [sum(each) for each in zip(*(c.buckets for c in cells), strict=True)]
        ),
        spent=spent,
        waited_on=_waited_on(run, spent.waiting),
        slowest=tuple(slowest[:MOST_SLOW]),
        handed_over=_handed(run)[0],
        not_copied=_handed(run)[1],
        size=run.pool.size,
        killed=tuple(
            options.killed.get(pid, words) for pid, words in run.killed.items()
        ),
        failures=failures_of(run.number, [worker.reading for worker in workers]),
    )
    return replace(row, advice=advice_for(row, run.pool.kind))


def worker_state(
    pool: SeenPool, worker: SeenWorker, now: float, waited: Mapping[int, float]
) -> WorkerState:
    """
    Describe a worker that lives.
    """
    offset, reading = epoch_offset(), worker.reading
    cells = list(reading.cells.values())
    _, failed, computing, waiting = reading.past
    state: Literal["starting", "computing", "idle"] = "idle"
    at_work = 0.0
    task_waited = _waits_now(worker, now, waited)
    if reading.hand:
        state, at_work = "computing", now - reading.since
    elif not reading.first and (not reading.ready or reading.arrived):
        state = "starting"
    last = max(cells, key=lambda cell: cell.began, default=None)
    starting = (reading.ready or now) - reading.started
    if reading.arrived:
        starting += (reading.first or now) - reading.arrived
    return WorkerState(
        worker.pid,
        process_name(worker.pid),
        pool.number,
        reading.started + offset,
        state,
        reading.hand or None,
        reading.since + offset if reading.hand else None,
        reading.arguments,
        task_waited,
        worker.tasks,
        failed + sum(cell.failed for cell in cells),
        computing + sum(c.computing for c in cells) + max(at_work - task_waited, 0.0),
        waiting + sum(cell.waiting for cell in cells) + task_waited,
        starting,
        None if last is None else median_of(last.buckets),
    )


def unseen_states(pool: SeenPool) -> list[WorkerState]:
    """
    Describe the workers of a pool that was made before the extension was loaded.
    """
    nothing = (None, None, "", 0.0, None, None, None, None, None, None)
    since = pool.since + epoch_offset()
    return [
        WorkerState(each.pid, each.name, pool.number, since, "unseen", *nothing)
        for each in processes_of(pool.get())
        if each.pid is not None
    ]


def task_rows(
    states: Iterable[WorkerState], longs: Iterable[tuple[int, Long]]
) -> tuple[TaskRow, ...]:
    """
    Describe long tasks: those that run, and those that ended.

    Args:
        states: What workers do.
        longs: The tasks that ended, with the process.
    """
    offset = epoch_offset()
    rows = [
        TaskRow(
            pid,
            long.run,
            long.began + offset,
            long.ended + offset,
            long.waited,
            long.arguments,
            TaskFailure(long.type, long.message) if long.type else None,
        )
        for pid, long in longs
    ]
    now = time.monotonic() + offset
    rows += [
        TaskRow(
            *(state.pid, state.run, state.task_since, None),
            *(state.task_waited, state.arguments, None),
        )
        for state in states
        if state.run is not None
        and state.task_since is not None
        and now - state.task_since >= LONG_S
    ]
    return tuple(sorted(rows, key=lambda row: row.start))


def pool_row(pool: SeenPool) -> PoolRow:
    """
    Describe a pool.
    """
    offset = epoch_offset()
    return PoolRow(
        pool.number,
        pool.kind,
        pool.size,
        pool.seen,
        pool.since + offset,
        None if pool.ended is None else pool.ended + offset,
        pool.how,
    )


def _is_known(run: SeenRun, now: float) -> bool:
    if run.ended is not None or end_of(run.pool.get()):
        return True
    if any(not taken[1] for taken in run.taken):
        return False
    batch = None if run.last_batch is None else run.last_batch()
    if batch is not None and _is_dispatching(batch):
        return False
    return run.is_map or now - run.submitted > KNOWN_S


def _is_dispatching(result: Any) -> bool:
    """
    Tell whether joblib has more to give, by the callback of the last batch.
    """
    callbacks = [*getattr(result, "_done_callbacks", ())]
    callbacks.append(getattr(result, "_callback", None))
    return any(
        getattr(getattr(each, "parallel", None), "_original_iterator", None) is not None
        for each in callbacks
    )


def _window_of(run: SeenRun, now: float) -> Window:
    if run.ended is not None:
        begun = max((cell.began for cell in run.cells.values()), default=run.first)
        return Window(run.first, run.ended, begun)
    begun_items = sum(cell.begun for cell in run.cells.values())
    if run.total > begun_items + run.dropped:
        return Window(run.first, now, now)
    begun = max((cell.began for cell in run.cells.values()), default=run.first)
    is_at_work = any(
        worker.ended is None and worker.reading.hand == run.number
        for worker in run.pool.workers.values()
    )
    return Window(run.first, now if is_at_work else max(run.last, run.first), begun)


def _ends(pool: SeenPool) -> dict[SeenWorker, float]:
    """
    Say when workers ended, where that was before the end of their pool.

    When they did is not known, but when they had their last task. As many as the pool
    has workers lived as long as it.
    """
    dead = [worker for worker in pool.workers.values() if worker.ended is not None]
    if end_of(pool.get()):
        dead.sort(key=lambda worker: worker.last)
        dead = dead[: max(len(pool.workers) - pool.size, 0)]
    return {worker: worker.last for worker in dead}


def _life_of(
    run: SeenRun,
    worker: SeenWorker,
    now: float,
    waited: Mapping[int, float],
    ended: float | None,
) -> Life:
    reading = worker.reading
    own = [cell for cell in reading.cells.values() if cell.run == run.number]
    computing = sum(cell.computing for cell in own)
    waiting = sum(cell.waiting for cell in own)
    others = [
        (cell.computing + cell.waiting, cell.first, cell.ended)
        for cell in reading.cells.values()
        if cell.run != run.number
    ]
    is_at_work = worker.ended is None and reading.hand == run.number
    if reading.hand and worker.ended is None:
        waits = _waits_now(worker, now, waited)
        if is_at_work:
            waiting += waits
            computing += max(now - reading.since - waits, 0.0)
        else:
            others.append((now - reading.since, reading.since, now))
    return Life(
        reading.started,
        reading.ready,
        reading.arrived,
        reading.first,
        ended,
        computing,
        waiting,
        max((cell.ended for cell in own), default=0.0),
        is_at_work,
        others,
    )


def _waits_now(worker: SeenWorker, now: float, waited: Mapping[int, float]) -> float:
    reading = worker.reading
    if not reading.hand:
        return 0.0
    found = waited.get(worker.pid, reading.waited_at) - reading.waited_at
    return min(max(found, 0.0), now - reading.since)


def _waited_on(run: SeenRun, waiting: float) -> tuple[WaitedOn, ...]:
    if not waiting or options.sources is None:
        return ()
    before = run.waits_before
    found = {
        path: seconds - before.get(path, 0.0)
        for path, seconds in options.sources.waits().items()
    }
    total = sum(seconds for seconds in found.values() if seconds > 0)
    if not total:
        return ()
    rows = [
        WaitedOn(path, seconds / total * waiting)
        for path, seconds in found.items()
        if seconds > 0
    ]
    return tuple(sorted(rows, key=lambda row: -row.seconds)[:MOST_WAITED_ON])


def _handed(run: SeenRun) -> tuple[int, int]:
    if options.sources is None:
        return 0, 0
    count, size = options.sources.handed()
    before = run.handed_before
    return max(count - before[0], 0), max(size - before[1], 0)


def _pid_of(workers: list[SeenWorker], key: tuple[int, int]) -> int:
    found: Reading
    for worker in workers:
        found = worker.reading
        if found.id == key[0]:
            return worker.pid
    return 0
