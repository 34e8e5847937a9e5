"""
Snapshot: a session at one moment, as every monitor gets it.

``labextension/src/snapshot.ts`` is the same in TypeScript, and both are checked against
``tests/data/snapshot.json``. Times are seconds since the epoch, sizes are bytes, and
None is what is not known.
"""

from __future__ import annotations

from typing import Any

import msgspec

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
    "merge",
    "tick_between",
]

SCHEMA = 1


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
    A process that was connected and has disconnected.
    """

    pid: int
    name: str
    since: float
    ended: float
    exit_code: int | None
    #: ``"ended"``, ``"failed"``, ``"killed"``, or ``"gone"`` where nobody knows.
    how: str
    #: The same, and by what.
    words: str
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
    #: ``"serving"``, ``"empty"`` where nothing is shared, ``"stopped"`` where its
    #: server has ended.
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


def tick_between(before: Snapshot, now: Snapshot) -> Snapshot:
    """
    Leave out of a whole snapshot what has not changed since the one before.

    Args:
        before: The whole snapshot before.
        now: The whole snapshot now.
    """
    known = {row.idx: row for row in before.objects}
    here = {row.idx for row in now.objects}
    return msgspec.structs.replace(
        now,
        whole=False,
        objects=[row for row in now.objects if known.get(row.idx) != row],
        gone=[idx for idx in known if idx not in here],
        errors=None if now.errors == before.errors else now.errors,
        chains=None if now.chains == before.chains else now.chains,
    )


def merge(before: Snapshot, tick: Snapshot) -> Snapshot:
    """
    Give the whole of a session again, from what it was and a tick.

    Args:
        before: The whole snapshot before.
        tick: What came after it.
    """
    rows = {row.idx: row for row in before.objects}
    rows.update((row.idx, row) for row in tick.objects)
    gone = set(tick.gone)
    return msgspec.structs.replace(
        tick,
        whole=True,
        objects=[row for idx, row in rows.items() if idx not in gone],
        gone=[],
        errors=before.errors if tick.errors is None else tick.errors,
        chains=before.chains if tick.chains is None else tick.chains,
    )
