"""
Rows: what a server tells of itself, each fact in one place.

A row is made by the collector, kept as long as nothing in it changes, drawn by every
table, and sent as JSON as it is. ``labextension/src/snapshot.ts`` is generated from it.
Times are seconds since the epoch, sizes are bytes, and None is what is not known.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .text import quantile

__all__ = [
    "ChainRow",
    "EndedRow",
    "ErrorRecord",
    "ErrorRow",
    "Finding",
    "How",
    "LastError",
    "MemoryRow",
    "Mode",
    "ObjectRow",
    "ServerStatistics",
    "Totals",
    "Wait",
    "WorkerRow",
]


#: What workers may do with an object.
Mode = Literal["live", "frozen", "inplace", "read-only"]
#: How a process ended; "gone" where nobody knows.
How = Literal["ended", "failed", "killed", "gone"]


class Totals(msgspec.Struct, frozen=True):
    """
    Counts of all calls, those to objects that were removed among them.

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
    #: Calls by latency; bucket i is under 2**i / 4 microseconds.
    latency: tuple[int, ...] = ()
    #: Frames that were larger than the buffer, and travelled beside it.
    beside: int = 0
    #: How often objects were handed over to workers, and the bytes of data that were
    #: not copied for it.
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
    Which error was the last one of an object.
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
    #: The number of the object it was first reached through, for a chained one.
    parent: int | None
    #: The shared name, or the path from it such as ``df.groupby()``.
    path: str
    #: The name it was reached through.
    root: str
    type: str
    #: In words, or empty.
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
    #: Bytes of the versions that somebody maps.
    mapped_bytes: int
    #: Older versions that handles on their way stand for.
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


class WorkerRow(msgspec.Struct, frozen=True):
    """
    One process that is connected, or maps a version of an object.
    """

    pid: int
    name: str
    since: float
    #: How many of its threads are connected and have called.
    threads: int
    calls: int
    bytes_in: int
    bytes_out: int
    #: Seconds that its threads have waited for answers, all together: from the question
    #: to the answer, by the worker's own clock.
    waited: float
    #: Seconds that its threads have been connected, all together.
    connected: float
    #: The paths of the objects that it calls, or waits for, right now.
    calling: tuple[str, ...]
    #: Its memory in bytes, shared pages counted in parts.
    pss: int | None
    #: How many versions it maps.
    holds: int = 0

    @property
    def waiting_share(self) -> float:
        """
        The share of their time that its threads have waited for answers, from 0 to 1.
        """
        return min(self.waited / self.connected, 1.0) if self.connected > 0 else 0.0


class EndedRow(msgspec.Struct, frozen=True):
    """
    A process that was connected and has disconnected.
    """

    pid: int
    name: str
    since: float
    ended: float
    #: Exit code, or the negative number of the signal; None where only the code that
    #: started it can know, and where it goes on without being connected.
    exit_code: int | None
    #: ``"gone"`` where nobody knows.
    how: How
    #: The same, and by what.
    words: str
    calls: int


class ErrorRow(msgspec.Struct, frozen=True):
    """
    One kind of error: exceptions of one type and message, with the same ways out.
    """

    #: The same for the same kind, in other kernels as well.
    key: str
    type: str
    #: The path and the number of the object that met the last one; 0 where there was
    #: none.
    object: str
    idx: int
    #: How many objects met one.
    objects: int
    message: str
    #: The path that was cut, for a `LimitedProxyChaining`; empty for others.
    cut: str
    count: int
    first: float
    last: float
    #: The processes that met one; of more than 100 the last 100 that met it first.
    pids: tuple[int, ...]
    #: The name of the process that met the last one.
    worker: str
    #: What to do next: a sentence, and lines to copy or none.
    ways_out: tuple[tuple[str, str], ...]
    traceback: str


class ErrorRecord(msgspec.Struct, frozen=True):
    """
    One exception that went to a worker.
    """

    time: float
    #: That of its kind, `ErrorRow.key`.
    key: str
    type: str
    message: str
    #: The object's name or path, and what was asked of it.
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
    Something about shared memory that the user may want to do something about.
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
    #: What of it lies in the spool folder.
    spooled: int
    spool_dir: str
    #: None where nobody has looked.
    findings: tuple[Finding, ...] | None


class Wait(msgspec.Struct, frozen=True):
    """
    A client thread that waits.
    """

    #: What it waits for: ``"locked(counter)"``, or a call such as ``"items.get()"``.
    what: str
    #: Who waits: a process's name and pid, and its thread where that is not the main
    #: one.
    worker: str
    #: Who holds what it waits for; empty where that is not known.
    holder: str
    #: For how many seconds.
    waited_s: float


class ServerStatistics(msgspec.Struct, frozen=True):
    """
    All that is known of a server at one moment. It never changes.
    """

    #: Now, and when the server was made.
    time: float
    since: float
    running: bool
    #: Shared objects and those reached through them, in the order of their numbers.
    proxies: tuple[ObjectRow, ...]
    workers: tuple[WorkerRow, ...]
    #: Processes that were connected, the last one last.
    ended_workers: tuple[EndedRow, ...]
    totals: Totals
    #: The last 200 exceptions that went to workers, the newest last.
    errors: tuple[ErrorRecord, ...]
    errors_by_type: tuple[tuple[str, int], ...]
    #: The last 200 kinds of them, the newest first.
    error_groups: tuple[ErrorRow, ...]
    #: How many kinds there were, those included that are not kept any more: 100,000
    #: stands for as many or more.
    error_kinds: int
    #: Paths that were cut, the newest 200.
    chains: tuple[ChainRow, ...]
    #: Seconds by which a busy kernel has delayed a caller at most, in the last two
    #: seconds; None where it has delayed nobody by a millisecond.
    busy_delay_s: float | None
    memory: MemoryRow
    #: Who waits for the lock of an object, or has waited for a call for over a second.
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
        The latency in seconds under which 99 of 100 calls stay.
        """
        return quantile(self.totals.latency, 0.99)
