"""
Looking at a session: what its server has counted, as a snapshot.
"""

from __future__ import annotations

import os
import platform
import secrets
import time
from typing import TYPE_CHECKING

from ..memory.folders import memory_place
from ..memory.spool import spool_folder
from ..stats.exits import end_of
from .sizes import sizer_of
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
    from collections.abc import Iterable, Mapping

    from ..objects.table import Entry
    from ..stats.counts import CallTotals
    from ..stats.rows import (
        ProxyStatistics,
        ServerStatistics,
        WorkerStatistics,
    )
    from ..stats.workers import WorkerEnd
    from .session import Session
    from .sizes import Sizer
    from .snapshot import Finding

__all__ = ["ObjectRows", "snapshot_of"]

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
    rows: ObjectRows | None = None,
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
        rows: Remembers the rows of objects from one look to the next.
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
    rows = rows or ObjectRows()
    objects = rows.of(found.proxies, server.table.entries)
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


class ObjectRows:
    """
    Rows of objects; those that did not change are the same ones as before.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[ProxyStatistics, ObjectRow]] = {}

    def of(
        self, proxies: Iterable[ProxyStatistics], entries: Mapping[int, Entry]
    ) -> list[ObjectRow]:
        """
        Give the rows of objects, in their order.

        Args:
            proxies: What the server has counted of each.
            entries: The objects, by number.
        """
        # A thousand objects are of a few types, and to ask a type takes longer than
        # the rest of a row that did not change.
        sizers: dict[type, Sizer | None] = {}
        known, self._known = self._known, {}
        for found in proxies:
            entry = entries.get(found.idx)
            target = None if entry is None else entry.target
            kind = type(target)
            if kind not in sizers:
                sizers[kind] = sizer_of(kind)
            sizer = sizers[kind]
            size = "" if sizer is None else sizer(target)
            before, row = known.get(found.idx, (None, None))
            if row is None or before is not found or row.size != size:
                row = _object(found, size)
            self._known[found.idx] = found, row
        return [row for _, row in self._known.values()]


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


def _object(found: ProxyStatistics, size: str) -> ObjectRow:
    calls, versions = found.calls, found.versions
    return ObjectRow(
        idx=found.idx,
        parent=found.parent,
        path=found.path,
        root=found.root,
        type=found.type_name,
        size=size,
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
