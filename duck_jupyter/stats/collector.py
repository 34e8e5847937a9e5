"""
Reader: all that a server has counted, read again and again.

It remembers what it gave. What did not change is given again as the same value, so that
reading a thousand objects four times a second costs only what those in use cost.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from ..data.versions import Versions
from ..memory.allocation import memory_place
from ..transport.lanes import PHASE, POSTED, STATE, TAKEN
from .counts import LAST_BYTES, CallTotals, totals_of
from .ledger import Ledger
from .rows import (
    MemoryStatistics,
    ProxyStatistics,
    ServerStatistics,
    WorkerStatistics,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rows import Wait
    from .sources import Connection, Entry, Server
    from .thread_counts import Tally

__all__ = ["Reader"]

#: The delay of a busy kernel is that of the last so many seconds.
BUSY_WINDOW_S = 5.0


class Users(NamedTuple):
    """
    Who of those that are connected has called an object.
    """

    ledgers: Sequence[Ledger]
    pids: tuple[int, ...]


NOBODY = Users((), ())
NOTHING_KEPT = Versions()


class Reader:
    """
    Reads the counters of one server. Any thread may call it.

    It keeps nothing of the server alive but numbers and names.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        #: Counts of those threads that are connected, and of those that have gone.
        self._ledgers: dict[Tally, Ledger] = {}
        self._past = Ledger()
        #: By the object's number.
        self._users: dict[int, Users] = {}
        self._proxies: dict[int, ProxyStatistics] = {}

    def read(self, server: Server, waits: tuple[Wait, ...]) -> ServerStatistics:
        """
        Give all that is known at this moment.

        Args:
            server: The same one each time.
            waits: Who waits for what.
        """
        server.table.sweep()
        server.table.expire()
        with self._lock:
            try:
                connections = server.connections()
                proxies, workers, totals = self._read(server, connections)
            except BaseException:
                # Interrupted: what is remembered may be half of it.
                self._forget()
                raise
        errors, by_type, groups, chains = server.errors.snapshot()
        lanes = sum(connection.lane.block.size for connection in connections)
        return ServerStatistics(
            time.time(),
            server.since,
            server.running,
            proxies,
            workers,
            server.workers.ended(),
            totals,
            errors,
            by_type,
            groups,
            chains,
            _busy_delay(server.delays()),
            _memory(lanes + server.publisher.store.versions().bytes),
            waits,
        )

    def _read(
        self, server: Server, connections: Sequence[Connection]
    ) -> tuple[tuple[ProxyStatistics, ...], tuple[WorkerStatistics, ...], CallTotals]:
        table = server.table
        entries = sorted(table.entries.values(), key=lambda entry: entry.idx)
        changed = self._count(entries, connections)
        pid_of = {
            connection.hello.client: connection.hello.pid for connection in connections
        }
        self._proxies = self._of_proxies(server, entries, pid_of, changed)
        sums = [ledger.sum for ledger in self._ledgers.values()]
        totals = totals_of([table.past, self._past.sum, *sums])
        workers = self._of_workers(server, connections)
        return tuple(self._proxies.values()), workers, totals

    def _count(
        self, entries: Sequence[Entry], connections: Sequence[Connection]
    ) -> set[int]:
        """
        Bring the ledgers up to date, and give the numbers of objects that changed.
        """
        past = {entry.idx: entry.counts for entry in entries}
        changed = self._past.follow(past).numbers
        before = self._ledgers
        self._ledgers = {
            connection.tally: before.get(connection.tally) or Ledger()
            for connection in connections
        }
        gone = before.keys() - self._ledgers.keys()
        changed.update(*(before[tally].counts for tally in gone))
        others = bool(gone)
        for tally, ledger in self._ledgers.items():
            changes = tally.enter(ledger)
            changed |= changes.numbers
            others |= changes.others
        if others:
            ledgers: dict[int, list[Ledger]] = defaultdict(list)
            pids: dict[int, set[int]] = defaultdict(set)
            for connection in connections:
                ledger = self._ledgers[connection.tally]
                for number in ledger.counts:
                    ledgers[number].append(ledger)
                    pids[number].add(connection.hello.pid)
            self._users = {
                number: Users(ledgers[number], tuple(sorted(pids[number])))
                for number in ledgers
            }
        return changed

    def _of_proxies(
        self,
        server: Server,
        entries: Sequence[Entry],
        pid_of: dict[str, int],
        changed: set[int],
    ) -> dict[int, ProxyStatistics]:
        publisher, last_errors = server.publisher, server.errors.last_of
        published = publisher.published()
        found = {}
        for entry in entries:
            idx, policy = entry.idx, entry.policy
            users, pids = self._users.get(idx, NOBODY)
            if entry.holders:
                held = {pid_of[each] for each in list(entry.holders) if each in pid_of}
                pids = tuple(sorted(held.union(pids)))
            before = self._proxies.get(idx)
            is_published = idx in published
            # What it would be compared with costs more than all else of this loop.
            if (
                before is not None
                and idx not in changed
                and not is_published
                and before.versions is NOTHING_KEPT
                and before.worker_pids == pids
                and before.path == entry.path
                and before.parent == entry.parent
                and before.level == entry.level
                and before.type_name == entry.type_name
                and before.last_error == last_errors.get(idx)
            ):
                found[idx] = before
                continue
            now = ProxyStatistics(
                idx,
                entry.parent,
                entry.path,
                policy.name,
                entry.type_name,
                entry.level,
                policy.max_chain,
                publisher.mode(entry) if is_published else policy.mode,
                policy.bufsize,
                self._calls_of(idx, users)
                if before is None or idx in changed
                else before.calls,
                last_errors.get(idx),
                pids,
                entry.since,
                publisher.versions(idx) if is_published else NOTHING_KEPT,
            )
            found[idx] = before if before == now else now
        return found

    def _calls_of(self, idx: int, users: Sequence[Ledger]) -> CallTotals:
        counts = [ledger.counts[idx] for ledger in users]
        past = self._past.counts[idx]
        calls = totals_of([past, *counts])
        if past[LAST_BYTES] < calls.last_bytes or not counts:
            return calls
        # What those sent who are gone says nothing of buffers that are there.
        last = max(each[LAST_BYTES] for each in counts)
        return calls._replace(last_bytes=last) if last else calls

    def _of_workers(
        self, server: Server, connections: Sequence[Connection]
    ) -> tuple[WorkerStatistics, ...]:
        by_client: dict[str, list[Connection]] = defaultdict(list)
        for connection in connections:
            by_client[connection.hello.client].append(connection)
        now = time.time()
        workers = []
        for client, threads in by_client.items():
            first = threads[0].hello
            counts = [self._ledgers[connection.tally].sum for connection in threads]
            asking = [connection for connection in threads if connection.asks]
            waited = sum(connection.waited_until(now) for connection in asking)
            # A thread has another connection for a call inside a call.
            since: dict[Any, float] = {}
            for each in asking:
                since[each.thread] = min(each.since, since.get(each.thread, now))
            lasted = sum(now - begun for begun in since.values())
            past = server.workers.past_of(client)
            workers.append(
                WorkerStatistics(
                    first.pid,
                    first.process_name,
                    server.workers.since(client, threads[0].since),
                    len(since),
                    totals_of([*counts, past.counts]),
                    waited + past.waited_s,
                    min(waited / lasted, 1.0) if lasted > 0 else 0.0,
                    _calling(server, threads),
                )
            )
        return tuple(sorted(workers, key=lambda worker: worker.since))


def _calling(server: Server, threads: Sequence[Connection]) -> tuple[str, ...]:
    paths = []
    for connection in threads:
        if connection.words[STATE] & PHASE in (POSTED, TAKEN):
            payload = connection.payload
            entry = server.table.entries.get(payload[0]) if payload else None
            paths.append("the server" if entry is None else entry.path)
    return tuple(paths)


def _busy_delay(delays: list[tuple[float, float]]) -> float | None:
    after = time.monotonic() - BUSY_WINDOW_S
    recent = sorted(delay for when, delay in delays if when > after)
    return recent[int(len(recent) * 0.99)] if recent else None


def _memory(ours: int) -> MemoryStatistics:
    place = memory_place()
    if not place.capacity:
        return MemoryStatistics(None, None, ours)
    return MemoryStatistics(place.capacity, place.free, ours)
