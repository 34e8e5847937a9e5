"""
Joining what workers count of their tasks with what the server counts of their calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec.structs import replace

from .row_building import holder_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .worker_rows import WorkerRow

__all__ = ["WorkerState", "join_workers"]


class WorkerState(NamedTuple):
    """
    What a worker of a pool does. Times are seconds since the epoch.

    Attributes:
        state: Who knows its calls says if it waits.
        arguments: Of the item in hand, in short; empty where they are not known.
        task_waited: Seconds that the item in hand has waited.
        waiting: Seconds, those of the item in hand among them, as in `computing`.
    """

    pid: int
    name: str
    pool: int
    since: float
    state: Literal["starting", "computing", "idle", "unseen"]
    run: int | None
    task_since: float | None
    arguments: str
    task_waited: float
    tasks: int | None
    failed: int | None
    computing: float | None
    waiting: float | None
    starting: float | None
    each_p50: float | None


def join_workers(
    rows: Sequence[WorkerRow], states: Iterable[WorkerState]
) -> list[WorkerRow]:
    """
    Give a row for each process that calls, holds versions, or works for a pool.

    Args:
        rows: Those of processes that call or hold.
        states: What workers of pools do.
    """
    found = {row.pid: row for row in rows}
    for state in states:
        row = found.get(state.pid)
        if row is None:
            row = replace(holder_row(state.pid, state.since, 0), name=state.name)
        waits_on = row.calling[0] if row.calling and state.run is not None else None
        found[state.pid] = replace(
            row,
            pool=state.pool,
            state=state.state if waits_on is None else "waiting",
            run=state.run,
            task_since=state.task_since,
            waiting_on=waits_on,
            tasks=state.tasks,
            failed_tasks=state.failed,
            t_computing=state.computing,
            t_waiting=state.waiting,
            t_starting=state.starting,
            each_p50=state.each_p50,
        )
    return sorted(found.values(), key=lambda row: row.since)
