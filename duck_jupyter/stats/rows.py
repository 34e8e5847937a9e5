"""
The rows of a server's statistics. Each fact is in one row.

The collector makes a row, and keeps it while nothing in it changes. Every table draws
it, and JSON has the same fields. ``labextension/src/snapshot.ts`` is generated from it.
Times are seconds since the epoch, sizes are bytes, and None means unknown.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .text import quantile
from .worker_rows import EndedRow, WorkerRow

__all__ = [
    "ChainRow",
    "ErrorKind",
    "ErrorRecord",
    "ErrorRow",
    "Finding",
    "LastError",
    "MemoryRow",
    "Mode",
    "ObjectRow",
    "ServerStatistics",
    "Totals",
    "Wait",
]


#: What workers may do with an object.
Mode = Literal["live", "frozen", "inplace", "read-only"]
#: What raised an error: a call of a proxy, a task, or the death of a worker.
ErrorKind = Literal["call", "task", "lost"]


class Totals(msgspec.Struct, frozen=True):
    """
    Counts of all calls, including those to removed objects.

    A call is a request about an object, also one of `locked`, `ref` or `fetch`.
    """

    gets: int = 0
    sets: int = 0
    executes: int = 0
    #: Bytes of requests, towards the kernel.
    bytes_in: int = 0
    #: Bytes of answers, towards the workers.
    bytes_out: int = 0
    #: Bytes of the last frame and of the largest one that fitted the buffer. The
    #: fullest of the connected threads counts; if none is connected, the last one to
    #: disconnect.
    last: int = 0
    peak: int = 0
    #: Calls by latency; bucket i has those under 2**i / 4 microseconds.
    latency: tuple[int, ...] = ()
    #: Frames that were larger than the buffer, and were sent outside it.
    beside: int = 0
    #: How often objects were handed over to workers, and how many bytes of data this
    #: saved from being copied.
    handovers: int = 0
    handed_bytes: int = 0
    #: How many versions are kept.
    versions: int = 0

    @property
    def calls(self) -> int:
        """
        Requests of all kinds.
        """
        return self.gets + self.sets + self.executes

    @property
    def are_used(self) -> bool:
        """
        Whether a worker has called, or was handed an object.
        """
        return self.calls > 0 or self.handovers > 0


class LastError(msgspec.Struct, frozen=True):
    """
    The last error of an object.
    """

    #: That of its kind, `ErrorRow.key`.
    key: str
    type: str
    time: float


class ObjectRow(msgspec.Struct, frozen=True):
    """
    One shared object, or one reached through it, and the traffic to it.
    """

    idx: int
    #: For a chained object: the number of the object it was first reached through.
    parent: int | None
    #: The shared name, or the path from it such as ``df.groupby()``.
    path: str
    #: The shared name that it was reached through.
    root: str
    type: str
    #: A description of its size, or empty.
    size: str
    mode: Mode
    level: int
    max_level: int
    #: Bytes of the buffer that its calls use, the largest of all threads; before the
    #: first call, of the buffer that it is shared with. `last` and `peak` fill it.
    bufsize: int
    gets: int
    sets: int
    executes: int
    bytes_in: int
    bytes_out: int
    #: As in `Totals`.
    last: int
    peak: int
    #: How many versions are kept for workers that fetch it, and their bytes.
    versions: int
    version_bytes: int
    #: Bytes of the versions that a process maps.
    mapped_bytes: int
    #: Older versions that are kept for handles in transit.
    awaited: int
    #: The type and the message of its last error.
    last_error: str | None
    error: LastError | None
    #: Processes that hold or call it, or hold a version of it.
    pids: tuple[int, ...]
    since: float
    #: As in `Totals`; a part of the object counts as the object.
    beside: int = 0
    handovers: int = 0
    handed_bytes: int = 0

    @property
    def calls(self) -> int:
        """
        Requests of all kinds.
        """
        return self.gets + self.sets + self.executes


class ErrorRow(msgspec.Struct, frozen=True):
    """
    One kind of error: exceptions of one type and message, with the same ways out.
    """

    #: Identifies the kind, in every kernel.
    key: str
    type: str
    #: The path and the number of the object that raised the last one; 0 if there was
    #: none.
    object: str
    idx: int
    #: How many objects raised one.
    objects: int
    message: str
    #: The path that was cut, for a `LimitedProxyChaining`; empty for others.
    cut: str
    count: int
    first: float
    last: float
    #: The processes that got one; only the newest 100.
    pids: tuple[int, ...]
    #: The name of the process that got the last one.
    worker: str
    #: What to do next: a sentence, and lines to copy or none.
    ways_out: tuple[tuple[str, str], ...]
    traceback: str
    #: "task": a task of a pool raised it, and `object` is its function. "lost": a
    #: worker was killed at a task.
    kind: ErrorKind = "call"
    #: `RunRow.id` of the last such task, and its arguments in short.
    run: int | None = None
    arguments: str = ""


class ErrorRecord(msgspec.Struct, frozen=True):
    """
    One exception that went to a worker.
    """

    time: float
    #: That of its kind, `ErrorRow.key`.
    key: str
    type: str
    message: str
    #: The object's name or path, and the requested attribute or method.
    object: str
    asked: str
    pid: int
    worker: str
    traceback: str


class ChainRow(msgspec.Struct, frozen=True):
    """
    A path that was cut because it grew longer than allowed.
    """

    #: That of its error, `ErrorRow.key`.
    key: str
    path: str
    type: str
    #: The level it would have had, and the highest allowed.
    level: int
    max_level: int
    cuts: int


class Finding(msgspec.Struct, frozen=True):
    """
    A state of shared memory that may need an action of the user.
    """

    what: str
    detail: str
    #: A line to copy, or empty.
    line: str


class MemoryRow(msgspec.Struct, frozen=True):
    """
    The folder of shared memory, in bytes.
    """

    capacity: int | None
    free: int | None
    #: What the lanes and versions of this server take, there or in the spool folder.
    ours: int
    #: The part of it in the spool folder.
    spooled: int
    spool_dir: str
    #: None if the doctor has not run.
    findings: tuple[Finding, ...] | None


class Wait(msgspec.Struct, frozen=True):
    """
    A client thread that waits.
    """

    #: What it waits for: ``"locked(counter)"``, or a call such as ``"items.get()"``.
    what: str
    #: The waiting process's name and pid, and its thread unless that is the main one.
    worker: str
    #: The holder of what it waits for; empty if it is not known.
    holder: str
    #: For how many seconds.
    waited_s: float


class ServerStatistics(msgspec.Struct, frozen=True):
    """
    The statistics of a server at one moment. They never change.
    """

    #: The present, and the time when the server was made.
    time: float
    since: float
    running: bool
    #: Shared objects and those reached through them, in the order of their numbers.
    proxies: tuple[ObjectRow, ...]
    workers: tuple[WorkerRow, ...]
    #: Processes that have disconnected, the newest last.
    ended_workers: tuple[EndedRow, ...]
    totals: Totals
    #: The last 200 exceptions that went to workers, the newest last.
    errors: tuple[ErrorRecord, ...]
    errors_by_type: tuple[tuple[str, int], ...]
    #: The last 200 kinds of them, the newest first.
    error_groups: tuple[ErrorRow, ...]
    #: The number of kinds, including those no longer kept; 100,000 means as many or
    #: more.
    error_kinds: int
    #: Paths that were cut, the newest 200.
    chains: tuple[ChainRow, ...]
    #: The longest time, in seconds, by which a busy kernel delayed a caller in the last
    #: two seconds; None if it is below a millisecond.
    busy_delay_s: float | None
    memory: MemoryRow
    #: Client threads that wait for an object's lock, or for over a second for a call.
    waits: tuple[Wait, ...]

    @property
    def error_count(self) -> int:
        """
        How many exceptions went to workers.
        """
        return sum(count for _, count in self.errors_by_type)

    @property
    def latency_p50_s(self) -> float | None:
        """
        The latency in seconds of half of the calls, or None before the first.
        """
        return quantile(self.totals.latency, 0.5)

    @property
    def latency_p99_s(self) -> float | None:
        """
        The latency in seconds of 99 of 100 calls, or None before the first.
        """
        return quantile(self.totals.latency, 0.99)
