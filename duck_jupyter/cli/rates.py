"""
Rates: the differences of the counts of two snapshots.
"""

from __future__ import annotations

from collections import deque
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from ..stats.text import quantile

if TYPE_CHECKING:
    from ..session.snapshot import Snapshot
    from ..stats.worker_rows import WorkerRow

__all__ = ["Rates", "Window"]


#: The rates of all calls are over so many seconds, like in the view.
ALL_S = 1.0
#: The rate of one object or worker is over so many seconds, like in the view.
ROW_S = 2.0
#: A worker's share of waiting is over so many seconds, like in the view.
KEPT_S = 60.0


class Rates(NamedTuple):
    """
    What happened in a second, on average. All are None before the second snapshot.
    """

    gets: float | None = None
    sets: float | None = None
    executes: float | None = None
    bytes_in: float | None = None
    bytes_out: float | None = None
    #: Latencies in seconds; None without calls.
    p50: float | None = None
    p99: float | None = None
    #: The share of their threads' time that workers waited, from 0 to 1; None without
    #: workers.
    waiting: float | None = None

    @property
    def calls(self) -> float | None:
        """
        Calls of all kinds.
        """
        if self.gets is None or self.sets is None or self.executes is None:
            return None
        return self.gets + self.sets + self.executes


class Window:
    """
    The snapshots of the last minute.
    """

    def __init__(self) -> None:
        self._kept: deque[Snapshot] = deque()
        #: Calls of each object and of each worker: at the start of the time, and now.
        self._calls: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._worker_calls: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._passed = 0.0

    def add(self, snapshot: Snapshot) -> None:
        """
        Add the newest one. If it is of another or a restarted kernel, begin anew.
        """
        if self._kept and self._kept[-1].kernel != snapshot.kernel:
            self._kept.clear()
        self._kept.append(snapshot)
        while len(self._kept) > 2 and snapshot.time - self._kept[1].time >= KEPT_S:
            self._kept.popleft()
        old = self._before(ROW_S)
        self._passed = snapshot.time - old.time
        self._calls = (_calls_in(old), _calls_in(snapshot))
        self._worker_calls = (_worker_calls_in(old), _worker_calls_in(snapshot))

    def _before(self, seconds: float) -> Snapshot:
        """
        Return the newest snapshot that is at least so old, or the oldest one.
        """
        until = self._kept[-1].time - seconds
        for snapshot in reversed(self._kept):
            if snapshot.time <= until:
                return snapshot
        return self._kept[0]

    def rates(self) -> Rates:
        """
        Return the rates over the last second, or since the snapshot before that.
        """
        if len(self._kept) < 2:
            return Rates()
        old, new = self._before(ALL_S), self._kept[-1]
        passed = new.time - old.time
        if passed <= 0:
            return Rates()
        before, after = old.totals, new.totals
        counts = tuple(
            max(0, now - then)
            for now, then in zip_longest(after.latency, before.latency, fillvalue=0)
        )
        return Rates(
            max(0, after.gets - before.gets) / passed,
            max(0, after.sets - before.sets) / passed,
            max(0, after.executes - before.executes) / passed,
            max(0, after.bytes_in - before.bytes_in) / passed,
            max(0, after.bytes_out - before.bytes_out) / passed,
            quantile(counts, 0.5),
            quantile(counts, 0.99),
            _waiting(old, new, [row for row in new.workers if row.is_served]),
        )

    def calls_of(self, idx: int) -> float | None:
        """
        Return the calls in a second of one object; None before the second snapshot.
        """
        return self._rate(self._calls, idx)

    def calls_from(self, pid: int) -> float | None:
        """
        Return the calls in a second of one worker; None before the second snapshot.
        """
        return self._rate(self._worker_calls, pid)

    def _rate(
        self, counts: tuple[dict[int, int], dict[int, int]], key: int
    ) -> float | None:
        then, now = counts
        new = now.get(key, 0) - then.get(key, 0)
        return max(0, new) / self._passed if self._passed > 0 else None

    def waiting_of(self, pid: int) -> float | None:
        """
        Return the share of its threads' time that a worker waited, from 0 to 1.
        """
        new = self._kept[-1]
        rows = [row for row in new.workers if row.pid == pid]
        return _waiting(self._kept[0], new, rows)


def _waiting(old: Snapshot, new: Snapshot, rows: list[WorkerRow]) -> float | None:
    then = {row.pid: row for row in old.workers}
    waited = had = 0.0
    for row in rows:
        before = then.get(row.pid)
        begun = old.time if before else max(row.since, old.time)
        waited += max(0.0, row.waited - (before.waited if before else 0.0))
        had += (new.time - begun) * max(1, row.threads)
    return min(1.0, waited / had) if had > 0 else None


def _calls_in(snapshot: Snapshot) -> dict[int, int]:
    return {row.idx: row.calls for row in snapshot.objects}


def _worker_calls_in(snapshot: Snapshot) -> dict[int, int]:
    return {row.pid: row.calls for row in snapshot.workers}
