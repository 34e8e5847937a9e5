"""
Snapshot: a session at one moment, as every monitor gets it.

``labextension/src/snapshot.ts`` is the same in TypeScript, and both are checked against
``tests/data/snapshot.json``. Times are seconds since the epoch, sizes are bytes, and
None is what is not known.
"""

from __future__ import annotations

import os
import platform
import secrets
import time
from typing import TYPE_CHECKING, Any

import msgspec

from ..memory.room import memory_place, spool_folder
from .sizes import size_of

if TYPE_CHECKING:
    from ..server.counters import CallTotals
    from ..server.statistics import (
        ProxyStatistics,
        ServerStatistics,
        WorkerStatistics,
    )
    from .session import Session

__all__ = [
    "SCHEMA",
    "Cell",
    "ChainRow",
    "EndedRow",
    "ErrorRow",
    "Finding",
    "KernelRow",
    "MemoryRow",
    "ObjectRow",
    "Snapshot",
    "Totals",
    "WorkerRow",
    "as_plain",
    "snapshot_of",
]

SCHEMA = 1
#: Tells this process from the one before it, after a restart.
SESSION_ID = secrets.token_hex(8)


class KernelRow(msgspec.Struct, frozen=True):
    """
    The process that shares.
    """

    pid: int
    python: str
    #: Random, once for each process.
    session: str


class Cell(msgspec.Struct, frozen=True):
    """
    What the notebook's main thread does.
    """

    running: bool
    #: The cell's number, In [number].
    number: int | None


class Totals(msgspec.Struct, frozen=True):
    """
    Counts of all calls.
    """

    gets: int
    sets: int
    executes: int
    bytes_in: int
    bytes_out: int
    last: int
    peak: int
    #: Calls by latency; bucket i is under 2**i / 4 microseconds.
    latency: list[int]


class ObjectRow(msgspec.Struct, frozen=True):
    """
    One shared object, or one reached through it.
    """

    idx: int
    #: The number of the object it was reached through, for a chained one.
    parent: int | None
    path: str
    root: str
    type: str
    #: In words, or empty.
    size: str
    #: ``"live"``, ``"frozen"``, ``"inplace"`` or ``"read-only"``.
    mode: str
    level: int
    max_level: int
    bufsize: int
    gets: int
    sets: int
    executes: int
    bytes_in: int
    bytes_out: int
    last: int
    peak: int
    versions: int
    version_bytes: int
    mapped_bytes: int
    last_error: str | None
    pids: list[int]
    since: float


class WorkerRow(msgspec.Struct, frozen=True):
    """
    One connected process.
    """

    pid: int
    name: str
    since: float
    threads: int
    calls: int
    bytes_in: int
    bytes_out: int
    #: Seconds that its threads have waited for answers, all together.
    waited: float
    #: What it calls, or waits for, right now.
    calling: list[str]
    #: Its memory, shared pages counted in parts.
    pss: int | None


class EndedRow(msgspec.Struct, frozen=True):
    """
    One process that was connected and is no more.
    """

    pid: int
    name: str
    since: float
    ended: float
    exit_code: int | None
    calls: int


class ErrorRow(msgspec.Struct, frozen=True):
    """
    Exceptions of one type, object and message.
    """

    type: str
    object: str
    message: str
    count: int
    first: float
    last: float
    pids: list[int]
    #: The name of the process that met the last one.
    worker: str
    #: What to do next: a sentence, and a line to copy or an empty one.
    ways_out: list[tuple[str, str]]
    traceback: str


class ChainRow(msgspec.Struct, frozen=True):
    """
    A path that was cut because it grew longer than allowed.
    """

    path: str
    type: str
    level: int
    max_level: int
    cuts: int


class Finding(msgspec.Struct, frozen=True):
    """
    Something about shared memory that the user may want to do something about.
    """

    what: str
    detail: str
    #: A line to copy, or empty.
    line: str


class MemoryRow(msgspec.Struct, frozen=True):
    """
    Shared memory.
    """

    capacity: int | None
    free: int | None
    #: What this server holds, wherever it is.
    ours: int
    #: What of it lies in the spool folder.
    spooled: int
    spool_dir: str
    #: None where nobody has looked.
    findings: list[Finding] | None


class Snapshot(msgspec.Struct, frozen=True):
    """
    A session at one moment; a tick where it is not whole.
    """

    schema: int
    seq: int
    #: A tick has of the objects those that changed since the one before, and None for
    #: errors and chains that did not change.
    whole: bool
    time: float
    since: float | None
    #: ``"serving"``, ``"empty"`` where nothing is shared, ``"stopped"`` without server.
    state: str
    kernel: KernelRow
    cell: Cell
    busy_delay: float | None
    totals: Totals
    objects: list[ObjectRow]
    #: Numbers of objects that went since the snapshot before.
    gone: list[int]
    object_count: int
    workers: list[WorkerRow]
    ended: list[EndedRow]
    errors: list[ErrorRow] | None
    error_count: int
    chains: list[ChainRow] | None
    memory: MemoryRow
    #: Ids of the commands that were done lately.
    done: list[str]


def as_plain(snapshot: Snapshot) -> dict[str, Any]:
    """
    Give a snapshot as what JSON can hold.
    """
    plain: dict[str, Any] = msgspec.to_builtins(snapshot)
    return plain


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
            state="stopped",
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
    # The names follow their variables.
    targets = {shared.proxy._duck_idx: shared.target for shared in session.names}
    found = server.statistics()
    for idx, entry in list(server.table.entries.items()):
        targets.setdefault(idx, entry.target)
    objects = [_object(proxy, targets.get(proxy.idx)) for proxy in found.proxies]
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
        ended=[EndedRow(*end) for end in found.ended_workers],
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
        for group in found.error_groups
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
