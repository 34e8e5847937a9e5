"""
From counts to rates: what happened between two snapshots.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from ..stats.counts import quantile

if TYPE_CHECKING:
    from ..session.snapshot import Snapshot

__all__ = ["Rates", "Window"]


class Rates(NamedTuple):
    """
    What happened in a second, on average; latencies in seconds, None without calls.
    """

    gets: float = 0.0
    sets: float = 0.0
    executes: float = 0.0
    bytes_in: float = 0.0
    bytes_out: float = 0.0
    p50: float | None = None
    p99: float | None = None

    @property
    def calls(self) -> float:
        """
        Calls of all kinds.
        """
        return self.gets + self.sets + self.executes


class Window:
    """
    The snapshots of the last seconds.

    Args:
        seconds: How many.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: deque[Snapshot] = deque()
        #: Calls of each object until the oldest one, and until the newest.
        self._calls: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def add(self, snapshot: Snapshot) -> None:
        """
        Take in the newest one; another kernel's, or a restarted one's, begins anew.
        """
        if self._kept and self._kept[-1].kernel != snapshot.kernel:
            self._kept.clear()
        self._kept.append(snapshot)
        while snapshot.time - self._kept[0].time > self._seconds:
            self._kept.popleft()
        self._calls = (_calls_in(self._kept[0]), _calls_in(snapshot))

    def rates(self) -> Rates:
        """
        Give what happened from the oldest to the newest.
        """
        if len(self._kept) < 2:
            return Rates()
        old, new = self._kept[0], self._kept[-1]
        passed = new.time - old.time
        if passed <= 0:
            return Rates()
        before, after = old.totals, new.totals
        counts = tuple(
            max(0, now - then)
            for now, then in zip(after.latency, before.latency, strict=False)
        )
        return Rates(
            max(0, after.gets - before.gets) / passed,
            max(0, after.sets - before.sets) / passed,
            max(0, after.executes - before.executes) / passed,
            max(0, after.bytes_in - before.bytes_in) / passed,
            max(0, after.bytes_out - before.bytes_out) / passed,
            quantile(counts, 0.5),
            quantile(counts, 0.99),
        )

    def calls_of(self, idx: int) -> float:
        """
        Give the calls in a second of one object.
        """
        passed = self._kept[-1].time - self._kept[0].time
        if passed <= 0:
            return 0.0
        then, now = self._calls
        return max(0, now[idx] - then.get(idx, 0)) / passed

    def waiting_of(self, pid: int) -> float | None:
        """
        Give the share of its threads' time that a worker waited, from 0 to 1.
        """
        old, new = self._kept[0], self._kept[-1]
        now = {row.pid: row for row in new.workers}[pid]
        then = {row.pid: row for row in old.workers}.get(pid)
        begun, waited = (old.time, then.waited) if then else (now.since, 0.0)
        passed = (new.time - begun) * max(1, now.threads)
        return min(1.0, max(0.0, now.waited - waited) / passed) if passed > 0 else None


def _calls_in(snapshot: Snapshot) -> dict[int, int]:
    return {row.idx: row.calls for row in snapshot.objects}
