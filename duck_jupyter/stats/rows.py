"""
What a server has done, as one immutable value: all that a monitor ever reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .text import quantile

if TYPE_CHECKING:
    from ..data.versions import Versions
    from .counts import CallTotals, ChainStatistics, ErrorGroup, ErrorRecord
    from .workers import WorkerEnd

__all__ = [
    "MemoryStatistics",
    "ProxyStatistics",
    "ServerStatistics",
    "Wait",
    "WorkerStatistics",
]


class ProxyStatistics(NamedTuple):
    """
    One object and the traffic to it.
    """

    idx: int
    #: The number of the object it was first reached through, for a chained one.
    parent: int | None
    #: The shared name, or the path from it such as ``df.groupby()``.
    path: str
    #: The name it was reached through.
    root: str
    type_name: str
    level: int
    max_level: int
    #: ``"live"``, ``"frozen"``, ``"inplace"`` or ``"read-only"``.
    mode: str
    #: Bytes; `CallTotals.last_bytes` and `peak_bytes` fill it.
    bufsize: int
    calls: CallTotals
    last_error: str | None
    #: Processes that hold or call it.
    worker_pids: tuple[int, ...]
    #: Seconds since the epoch.
    since: float
    #: What is kept of the object for workers that fetch it.
    versions: Versions


class WorkerStatistics(NamedTuple):
    """
    One connected process.
    """

    pid: int
    process_name: str
    since: float
    #: How many of its threads have called.
    threads: int
    calls: CallTotals
    #: Seconds that its threads have waited for answers, all together.
    waited_s: float
    #: Share of the time since it connected that its threads waited for answers, from
    #: 0 to 1 for each thread.
    waiting_share: float
    #: The paths of the objects that it is calling, or waiting for, right now.
    calling: tuple[str, ...]


class MemoryStatistics(NamedTuple):
    """
    The folder of shared memory, in bytes; None where the system has none.
    """

    size: int | None
    free: int | None
    #: What this server's lanes and versions take, there or in the spool folder.
    ours: int


class Wait(NamedTuple):
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


class ServerStatistics(NamedTuple):
    """
    All that is known of a server at one moment.
    """

    #: Seconds since the epoch: now, and when the server was made.
    time: float
    since: float
    running: bool
    #: Shared objects and those reached through them, in the order of their numbers.
    proxies: tuple[ProxyStatistics, ...]
    workers: tuple[WorkerStatistics, ...]
    #: Processes that were connected, the last one last.
    ended_workers: tuple[WorkerEnd, ...]
    #: All calls, those to objects that are no more among them.
    totals: CallTotals
    #: The last 200 exceptions that went to workers, the newest last.
    errors: tuple[ErrorRecord, ...]
    errors_by_type: tuple[tuple[str, int], ...]
    #: The same by type, object and message, the newest first.
    error_groups: tuple[ErrorGroup, ...]
    #: Chains that were cut.
    chains: tuple[ChainStatistics, ...]
    #: Seconds by which a busy kernel delayed requests lately (p99), or None where none
    #: had to wait.
    busy_delay_s: float | None
    memory: MemoryStatistics
    #: Who waits for the lock of an object, or has waited for a call for over a second.
    waits: tuple[Wait, ...]

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
