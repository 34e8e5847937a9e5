"""
Reader: makes the statistics of a server from its counters.

It keeps the rows that it made, and returns a row again if nothing in it has changed. So
reading a thousand objects four times a second costs only as much as those in use.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from ..transport.lanes import PHASE, POSTED, STATE, TAKEN
from .counts import BYTES_IN, BYTES_OUT, LAST_BYTES, calls_in, sum_of
from .ledger import Ledger
from .row_building import (
    counts_in,
    holder_row,
    memory_row,
    object_row,
    totals_of,
)
from .rows import ServerStatistics
from .worker_rows import WorkerRow, cluster_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .connection import Connection
    from .rows import ObjectRow, Totals, Wait
    from .sources import Entry, Server
    from .thread_counts import Tally

__all__ = ["Reader"]


class Users(NamedTuple):
    """
    The connected threads and processes that have called an object.
    """

    ledgers: Sequence[Ledger]
    pids: tuple[int, ...]


NOBODY = Users((), ())


class Reader:
    """
    Reads the counters of one server. Any thread may call it.

    It keeps only numbers and names of the server, and none of its objects.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        #: Counts of the connected threads, and of those that have disconnected.
        self._ledgers: dict[Tally, Ledger] = {}
        self._past = Ledger()
        #: By the object's number.
        self._users: dict[int, Users] = {}
        self._rows: dict[int, ObjectRow] = {}
        #: When a process was first seen to map a version.
        self._seen: dict[int, float] = {}

    def read(self, server: Server, waits: tuple[Wait, ...]) -> ServerStatistics:
        """
        Return the statistics of this moment.

        Args:
            server: The server; the same one in each call.
            waits: The client threads that wait.
        """
        server.table.sweep()
        server.table.expire()
        with self._lock:
            try:
                connections = server.connections()
                objects, workers, totals = self._read(server, connections)
            except BaseException:
                # It was interrupted: the kept counts may be incomplete.
                self._forget()
                raise
        errors = server.errors.snapshot()
        lanes = sum(each.lane.bytes for each in connections)
        versions = server.publisher.store.versions()
        return ServerStatistics(
            time.time(),
            server.since,
            server.running,
            objects,
            workers,
            server.workers.ended(),
            totals,
            errors.records,
            errors.by_type,
            errors.groups,
            errors.kinds,
            errors.chains,
            # Without a connection no caller is delayed.
            server.busy_delay() if workers else None,
            memory_row(lanes + versions.bytes, versions.spooled),
            waits,
        )

    def _read(
        self, server: Server, connections: Sequence[Connection]
    ) -> tuple[tuple[ObjectRow, ...], tuple[WorkerRow, ...], Totals]:
        table = server.table
        every = sorted(table.entries.values(), key=lambda entry: entry.idx)
        # An iterator has no row of its own.
        entries = [entry for entry in every if entry.row == entry.idx]
        changed = self._count(entries, connections)
        pid_of = {
            connection.hello.client: connection.hello.pid for connection in connections
        }
        holders = server.publisher.holders()
        self._rows = self._of_objects(server, entries, pid_of, changed, holders)
        sums = [ledger.sum for ledger in self._ledgers.values()]
        handovers, handed_bytes = server.publisher.handed.in_all()
        totals = replace(
            totals_of(sum_of([table.past, self._past.sum, *sums])),
            handovers=handovers,
            handed_bytes=handed_bytes,
            versions=server.publisher.store.versions().kept,
        )
        workers = self._of_workers(server, connections, _sum_by_pid(holders.values()))
        return tuple(self._rows.values()), workers, totals

    def _count(
        self, entries: Sequence[Entry], connections: Sequence[Connection]
    ) -> set[int]:
        """
        Update the ledgers, and return the numbers of the changed objects.
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

    def _of_objects(
        self,
        server: Server,
        entries: Sequence[Entry],
        pid_of: dict[str, int],
        changed: set[int],
        holders: Mapping[int, Mapping[int, int]],
    ) -> dict[int, ObjectRow]:
        last_errors = server.errors.last_of
        published = server.publisher.published()
        # One look-up for each type: it takes longer than the rest of an unchanged row.
        sizers: dict[type, Callable[[Any], str] | None] = {}
        found = {}
        for entry in entries:
            idx, target = entry.idx, entry.target
            kind = type(target)
            if kind not in sizers:
                sizers[kind] = server.table.sizer_of(kind)
            sizer = sizers[kind]
            size = "" if sizer is None else sizer(target)
            users, pids = self._users.get(idx, NOBODY)
            if entry.holders:
                held = {pid_of[each] for each in list(entry.holders) if each in pid_of}
                pids = tuple(sorted(held.union(pids)))
            if holders.get(idx):
                pids = tuple(sorted({*pids, *holders[idx]}))
            noted = last_errors.get(idx)
            error = None if noted is None else noted.error
            before = self._rows.get(idx)
            # Making a row to compare costs more than the rest of this loop.
            if (
                before is not None
                and idx not in changed
                and idx not in published
                and not before.versions
                and before.mode == entry.policy.mode
                and before.size == size
                and before.pids == pids
                and before.path == entry.path
                and before.parent == entry.parent
                and before.level == entry.level
                and before.type == entry.type_name
                and before.error is error
            ):
                found[idx] = before
                continue
            if before is None or idx in changed:
                counts = self._counts_of(idx, users)
            else:
                counts = counts_in(before)
            now = object_row(server, entry, size, counts, pids, idx in published)
            found[idx] = before if before == now else now
        return found

    def _counts_of(self, idx: int, users: Sequence[Ledger]) -> list[int]:
        counts = [ledger.counts[idx] for ledger in users]
        past = self._past.counts[idx]
        total = sum_of([past, *counts])
        # The frames of disconnected threads do not fill the present buffers.
        last = max((each[LAST_BYTES] for each in counts), default=0)
        if last:
            total[LAST_BYTES] = last
        return total

    def _of_workers(
        self,
        server: Server,
        connections: Sequence[Connection],
        holds: Mapping[int, int],
    ) -> tuple[WorkerRow, ...]:
        by_client: dict[str, list[Connection]] = defaultdict(list)
        for connection in connections:
            by_client[connection.hello.client].append(connection)
        now = time.time()
        workers = []
        for client, threads in by_client.items():
            first = threads[0].hello
            counts = [self._ledgers[connection.tally].sum for connection in threads]
            asking = [connection for connection in threads if connection.asks]
            # A thread has another connection for a call inside a call.
            begun: dict[Any, float] = {}
            for each in asking:
                begun[each.thread] = min(each.since, begun.get(each.thread, now))
            past = server.workers.past_of(client)
            total = sum_of([*counts, past.counts])
            workers.append(
                WorkerRow(
                    pid=first.pid,
                    name=first.process_name,
                    since=server.workers.since(client, threads[0].since),
                    threads=len(begun),
                    calls=calls_in(total),
                    bytes_in=total[BYTES_IN],
                    bytes_out=total[BYTES_OUT],
                    waited=sum(
                        (each.waited_until(now) for each in asking), past.waited
                    ),
                    connected=past.connected
                    + sum(now - each for each in begun.values()),
                    calling=_calling(server, threads),
                    pss=None,
                    holds=holds.get(first.pid, 0),
                    way=max(asking, key=attrgetter("since")).way if asking else None,
                    cluster=cluster_worker(first),
                )
            )
        connected = {worker.pid for worker in workers}
        self._seen = {pid: self._seen.get(pid, now) for pid in holds}
        workers += [
            holder_row(pid, self._seen[pid], versions)
            for pid, versions in holds.items()
            if pid not in connected
        ]
        return tuple(sorted(workers, key=lambda worker: worker.since))


def _sum_by_pid(holders: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """
    Add up the versions that each process maps, over all objects.
    """
    found: Counter[int] = Counter()
    for each in holders:
        found.update(each)
    return dict(found)


def _calling(server: Server, threads: Sequence[Connection]) -> tuple[str, ...]:
    paths = []
    for connection in threads:
        if connection.words[STATE] & PHASE in (POSTED, TAKEN):
            entry = server.table.entries.get(connection.called)
            paths.append("the server" if entry is None else entry.path)
    return tuple(paths)
