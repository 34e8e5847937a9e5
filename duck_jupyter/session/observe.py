"""
Looking at a session: what its server has counted, as a snapshot.
"""

from __future__ import annotations

import os
import platform
import secrets
import time
from typing import TYPE_CHECKING, Any

from ..memory.room import memory_place, spool_folder
from .ends import end_of
from .sizes import size_of
from .snapshot import (
    SCHEMA,
    Cell,
    ChainRow,
    EndedRow,
    ErrorRow,
    KernelRow,
    MemoryRow,
    ObjectRow,
    Snapshot,
    Totals,
    WorkerRow,
)

if TYPE_CHECKING:
    from ..server.counters import CallTotals
    from ..server.statistics import (
        ProxyStatistics,
        ServerStatistics,
        WorkerStatistics,
    )
    from ..server.workers import WorkerEnd
    from .session import Session
    from .snapshot import Finding

__all__ = ["snapshot_of"]

#: Groups of errors in a snapshot, the newest; tracebacks make them large.
MOST_ERRORS = 50
#: Tells this process from the one before it, after a restart.
SESSION_ID = secrets.token_hex(8)


def snapshot_of(
    session: Session,
    *,
    seq: int = 0,
    cell: Cell | None = None,
    pss: dict[int, int] | None = None,
    findings: list[Finding] | None = None,
    done: list[str] | None = None,
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
    """
    cell = cell or Cell(running=False, number=None)
    kernel = KernelRow(os.getpid(), platform.python_version(), SESSION_ID)
    server = session.server
    if server is None:
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
            totals=Totals(0, 0, 0, 0, 0, 0, 0, []),
            objects=[],
            gone=[],
            object_count=0,
            workers=[],
            ended=[],
            errors=[],
            error_count=0,
            chains=[],
            memory=_memory(0, 0, findings),
            done=done or [],
        )
    # To look changes nothing: names follow their variables between cells.
    found = server.statistics()
    entries = server.table.entries
    objects = []
    for proxy in found.proxies:
        entry = entries.get(proxy.idx)
        objects.append(_object(proxy, None if entry is None else entry.target))
    return Snapshot(
        schema=SCHEMA,
        seq=seq,
        whole=True,
        time=found.time,
        since=found.since,
        state="serving" if objects else "empty",
        kernel=kernel,
        cell=cell,
        busy_delay=found.busy_delay_s,
        totals=_totals(found.totals),
        objects=objects,
        gone=[],
        object_count=len(objects),
        workers=[_worker(worker, pss or {}) for worker in found.workers],
        ended=[_ended(end) for end in found.ended_workers],
        errors=_errors(found),
        error_count=sum(count for _, count in found.errors_by_type),
        chains=[ChainRow(*chain) for chain in found.chains],
        memory=_memory(
            found.memory.ours, server.publisher.store.versions().spooled, findings
        ),
        done=done or [],
    )


def _totals(calls: CallTotals) -> Totals:
    return Totals(
        gets=calls.gets,
        sets=calls.sets,
        executes=calls.executes,
        bytes_in=calls.bytes_in,
        bytes_out=calls.bytes_out,
        last=calls.last_bytes,
        peak=calls.peak_bytes,
        latency=list(calls.latency),
    )


def _object(found: ProxyStatistics, target: Any) -> ObjectRow:
    calls, versions = found.calls, found.versions
    return ObjectRow(
        idx=found.idx,
        parent=found.parent,
        path=found.path,
        root=found.root,
        type=found.type_name,
        size=size_of(target),
        mode=found.mode,
        level=found.level,
        max_level=found.max_level,
        bufsize=found.bufsize,
        gets=calls.gets,
        sets=calls.sets,
        executes=calls.executes,
        bytes_in=calls.bytes_in,
        bytes_out=calls.bytes_out,
        last=calls.last_bytes,
        peak=calls.peak_bytes,
        versions=versions.kept,
        version_bytes=versions.bytes,
        mapped_bytes=versions.mapped,
        last_error=found.last_error,
        pids=list(found.worker_pids),
        since=found.since,
    )


def _worker(found: WorkerStatistics, pss: dict[int, int]) -> WorkerRow:
    return WorkerRow(
        pid=found.pid,
        name=found.process_name,
        since=found.since,
        threads=found.threads,
        calls=found.calls.calls,
        bytes_in=found.calls.bytes_in,
        bytes_out=found.calls.bytes_out,
        waited=found.waited_s,
        calling=list(found.calling),
        pss=pss.get(found.pid),
    )


def _ended(found: WorkerEnd) -> EndedRow:
    end = end_of(found.exit_code)
    return EndedRow(
        pid=found.pid,
        name=found.process_name,
        since=found.since,
        ended=found.ended,
        exit_code=found.exit_code,
        how=end.how,
        words=end.words,
        calls=found.calls,
    )


def _errors(found: ServerStatistics) -> list[ErrorRow]:
    # The last one of a group says who it was.
    workers = {
        (error.type_name, error.object_name, error.message): error.worker_name
        for error in found.errors
    }
    return [
        ErrorRow(
            type=group.type_name,
            object=group.object_name,
            message=group.message,
            count=group.count,
            first=group.first,
            last=group.last,
            pids=list(group.worker_pids),
            worker=workers.get(group[:3], ""),
            ways_out=list(group.ways_out),
            traceback=group.traceback,
        )
        for group in found.error_groups[:MOST_ERRORS]
    ]


def _memory(ours: int, spooled: int, findings: list[Finding] | None) -> MemoryRow:
    place = memory_place()
    known = bool(place.capacity)
    return MemoryRow(
        capacity=place.capacity if known else None,
        free=place.free if known else None,
        ours=ours,
        spooled=spooled,
        spool_dir=str(spool_folder()),
        findings=findings,
    )
