"""
What a server has done, as one immutable value: all that a monitor ever reads.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from ..memory.room import memory_place
from ..transport.lanes import PHASE, POSTED, STATE, TAKEN
from .counters import (
    LAST_BYTES,
    CallTotals,
    ChainStatistics,
    ErrorGroup,
    ErrorRecord,
    fresh_counts,
    quantile,
    totals_of,
)
from .words import many

if TYPE_CHECKING:
    from ..data.publish import Versions
    from .callers import Caller
    from .objects import Entry
    from .server import ProxyServer
    from .workers import WorkerEnd

__all__ = [
    "MemoryStatistics",
    "ProxyStatistics",
    "ServerStatistics",
    "WorkerStatistics",
    "state_of",
    "statistics_of",
]

#: The delay of a busy kernel is that of the last so many seconds.
BUSY_WINDOW_S = 5.0


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


def state_of(server: ProxyServer, *, closed: bool) -> str:
    """
    Say in a few words what a server is doing.
    """
    if closed:
        return "closed"
    if server.running:
        objects = len(server.table.entries)
        workers = len({caller.hello.client for caller in server.callers()})
        return f"running, {many(objects, 'object')}, {many(workers, 'worker')}"
    return "not running"


def statistics_of(server: ProxyServer) -> ServerStatistics:
    """
    Read the counters of a server.
    """
    server.table.sweep()
    server.table.expire()
    entries = sorted(server.table.entries.values(), key=lambda entry: entry.idx)
    callers = server.callers()
    errors, by_type, groups, chains = server.errors.snapshot()
    tallies: dict[int, list[list[int]]] = defaultdict(list)
    pids: dict[int, set[int]] = defaultdict(set)
    for caller in callers:
        for idx, counts in caller.tally.counts().items():
            tallies[idx].append(counts)
            pids[idx].add(caller.hello.pid)
    totals = totals_of(
        [
            server.table.past,
            *(entry.counts for entry in entries),
            *(counts for many in tallies.values() for counts in many),
        ]
    )
    by_client = {caller.hello.client: caller.hello.pid for caller in callers}
    for entry in entries:
        pids[entry.idx] |= {by_client[h] for h in list(entry.holders) if h in by_client}
    return ServerStatistics(
        time.time(),
        server.since,
        server.running,
        tuple(
            _of_proxy(server, entry, tallies[entry.idx], pids[entry.idx])
            for entry in entries
        ),
        _of_workers(server, callers),
        server.workers.ended(),
        totals,
        errors,
        by_type,
        groups,
        chains,
        _busy_delay(server.delays()),
        _memory(
            sum(caller.lane.block.size for caller in callers)
            + server.publisher.store.versions().bytes
        ),
    )


def _of_proxy(
    server: ProxyServer, entry: Entry, tallies: list[list[int]], pids: set[int]
) -> ProxyStatistics:
    policy = entry.policy
    return ProxyStatistics(
        entry.idx,
        entry.parent,
        entry.path,
        policy.name,
        entry.type_name,
        entry.level,
        policy.max_chain,
        server.publisher.mode(entry),
        policy.bufsize,
        _calls_of(entry, tallies),
        server.errors.last_of.get(entry.idx),
        tuple(sorted(pids)),
        entry.since,
        server.publisher.versions(entry.idx),
    )


def _calls_of(entry: Entry, tallies: list[list[int]]) -> CallTotals:
    """
    Add up the counts of an object.
    """
    calls = totals_of([entry.counts, *tallies])
    # What those sent who are gone says nothing of buffers that are there.
    last = max((tally[LAST_BYTES] for tally in tallies), default=0)
    return calls._replace(last_bytes=last) if last else calls


def _of_workers(
    server: ProxyServer, callers: list[Caller]
) -> tuple[WorkerStatistics, ...]:
    by_client: dict[str, list[Caller]] = defaultdict(list)
    for caller in callers:
        by_client[caller.hello.client].append(caller)
    now = time.time()
    workers = []
    for client, threads in by_client.items():
        first = threads[0].hello
        since = server.workers.since(client, threads[0].since)
        counts = [c for caller in threads for c in caller.tally.counts().values()]
        counts.append(server.workers.counts_of_gone_threads(client))
        waited = sum(caller.waited_until(now) for caller in threads)
        lasted = sum(now - caller.since for caller in threads)
        workers.append(
            WorkerStatistics(
                first.pid,
                first.process_name,
                since,
                len(threads),
                totals_of(counts or [fresh_counts()]),
                waited,
                min(waited / lasted, 1.0) if lasted > 0 else 0.0,
                tuple(_calling(server, threads)),
            )
        )
    return tuple(sorted(workers, key=lambda worker: worker.since))


def _calling(server: ProxyServer, threads: list[Caller]) -> list[str]:
    paths = []
    for caller in threads:
        if caller.words[STATE] & PHASE in (POSTED, TAKEN):
            payload = caller.payload
            entry = server.table.entries.get(payload[0]) if payload else None
            paths.append("the server" if entry is None else entry.path)
    return paths


def _busy_delay(delays: list[tuple[float, float]]) -> float | None:
    after = time.monotonic() - BUSY_WINDOW_S
    recent = sorted(delay for when, delay in delays if when > after)
    return recent[int(len(recent) * 0.99)] if recent else None


def _memory(ours: int) -> MemoryStatistics:
    place = memory_place()
    if not place.capacity:
        return MemoryStatistics(None, None, ours)
    return MemoryStatistics(place.capacity, place.free, ours)
