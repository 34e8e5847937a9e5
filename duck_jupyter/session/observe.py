"""
Looking at a session: what its server has counted, as a snapshot.
"""

from __future__ import annotations

import os
import platform
import secrets
import time
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ..stats.row_building import memory_row
from ..stats.rows import Totals
from .snapshot import SCHEMA, Cell, KernelRow, Snapshot
from .tasks import statistics_of, tasks_seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..stats.rows import ErrorRow, Finding
    from ..stats.task_statistics import TaskStatistics
    from ..stats.worker_rows import WorkerRow
    from .session import Session

__all__ = ["snapshot_of"]

#: Kinds of error in a snapshot, the newest; tracebacks make them large.
MOST_ERRORS = 50
#: Runs in a snapshot that are over, the last ones.
MOST_RUNS_OVER = 5
#: Tells this process from the one before it, after a restart.
SESSION_ID = secrets.token_hex(8)


def snapshot_of(
    session: Session,
    *,
    seq: int = 0,
    cell: Cell | None = None,
    pss: dict[int, int] | None = None,
    findings: Sequence[Finding] | None = None,
    done: list[str] | None = None,
    within_s: float = 0.0,
) -> Snapshot:
    """
    Look at the whole of a session.

    Args:
        session: The session.
        seq: The number of the snapshot.
        cell: What the notebook's main thread does.
        pss: The memory of worker processes in bytes, by number.
        findings: What the doctor found.
        done: Ids of the commands that were done lately.
        within_s: For how many seconds at most to wait for news of each cluster.
    """
    cell = cell or Cell(running=False, number=None)
    told = None if findings is None else tuple(findings)
    kernel = KernelRow(os.getpid(), platform.python_version(), SESSION_ID)
    server = session.server
    if server is None:
        seen, errors, _ = tasks_seen(())
        return Snapshot(
            schema=SCHEMA,
            seq=seq,
            whole=True,
            time=time.time(),
            since=None,
            state="stopped" if session.has_served else "empty",
            kernel=kernel,
            cell=cell,
            busy_delay=None,
            totals=Totals(),
            objects=[],
            gone=[],
            object_count=0,
            workers=_with_memory(seen.workers, pss),
            ended=[],
            errors=list(errors[:MOST_ERRORS]),
            error_count=sum(row.count for row in errors),
            error_kinds=len(errors),
            chains=[],
            memory=replace(memory_row(), findings=told),
            done=done or [],
            **_tasks_of(seen),
        )
    # To look changes nothing: names follow their variables between cells.
    clusters = session.clusters.look(within_s)
    found = statistics_of(server, clusters)
    seen, errors, ended = tasks_seen(found.workers, found.ended_workers)
    return Snapshot(
        schema=SCHEMA,
        seq=seq,
        whole=True,
        time=found.time,
        since=found.since,
        state="serving" if found.proxies else "empty",
        kernel=kernel,
        cell=cell,
        busy_delay=found.busy_delay_s,
        totals=found.totals,
        objects=list(found.proxies),
        gone=[],
        object_count=len(found.proxies),
        workers=_with_memory(seen.workers, pss),
        ended=ended,
        errors=_newest(found.error_groups, errors),
        error_count=found.error_count + sum(row.count for row in errors),
        error_kinds=found.error_kinds + len(errors),
        chains=list(found.chains),
        memory=replace(found.memory, findings=told),
        done=done or [],
        clusters=list(clusters.rows),
        **_tasks_of(seen),
    )


def _with_memory(
    rows: Sequence[WorkerRow], pss: dict[int, int] | None
) -> list[WorkerRow]:
    return [replace(row, pss=pss.get(row.pid)) for row in rows] if pss else list(rows)


def _newest(calls: Sequence[ErrorRow], tasks: Sequence[ErrorRow]) -> list[ErrorRow]:
    if not tasks:
        return list(calls[:MOST_ERRORS])
    return sorted((*calls, *tasks), key=lambda row: -row.last)[:MOST_ERRORS]


def _tasks_of(seen: TaskStatistics) -> dict[str, Any]:
    """
    Give the fields of a snapshot that tell of tasks.
    """
    on = [run for run in seen.runs if run.ended is None]
    over = [run for run in seen.runs if run.ended is not None]
    return {
        "pools": list(seen.pools),
        "runs": [*over[-MOST_RUNS_OVER:], *on],
        "run_count": seen.run_count,
        "tasks": list(seen.tasks),
    }
