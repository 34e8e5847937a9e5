"""
What the server counts, at next to no cost.

The hot path adds to plain lists after the answer is on its way, and all else is worked
out when somebody asks.

Latency is what the worker waits, from its question to its answer. It is known of every
call whose worker blocks, and of one in 64 of the others, which then stands for 64
(`transport.lanes.SAMPLE_EVERY`).
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from operator import add, sub
from typing import TYPE_CHECKING, NamedTuple

from .advice import ways_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..errors import LimitedProxyChaining

__all__ = [
    "BYTES_IN",
    "BYTES_OUT",
    "EXECUTES",
    "GETS",
    "LAST_BYTES",
    "LATENCY_BUCKETS",
    "PEAK_BYTES",
    "SETS",
    "CallTotals",
    "ChainStatistics",
    "ErrorGroup",
    "ErrorLog",
    "ErrorRecord",
    "add_counts",
    "bucket_of",
    "difference",
    "fresh_counts",
    "quantile",
    "totals_of",
]

#: Indices of a list of counts; the first three are the opcodes.
GETS, SETS, EXECUTES, BYTES_IN, BYTES_OUT, LAST_BYTES, PEAK_BYTES = range(7)
LATENCY_FIRST = 7
#: Bucket i holds latencies under 2**i / 4 microseconds, and not under half of that.
LATENCY_BUCKETS = 32
ERRORS_KEPT = 200
#: Objects whose last error is known.
OBJECTS_KEPT = 1000


def fresh_counts() -> list[int]:
    """
    Give the counts of a proxy that was never called.
    """
    return [0] * (LATENCY_FIRST + LATENCY_BUCKETS)


def add_counts(total: list[int], counts: list[int]) -> None:
    """
    Add counts that came later to others, in place; of the peaks the largest stays.
    """
    last = counts[LAST_BYTES] or total[LAST_BYTES]
    peak = max(total[PEAK_BYTES], counts[PEAK_BYTES])
    total[:] = map(int.__add__, total, counts)
    total[LAST_BYTES], total[PEAK_BYTES] = last, peak


def difference(now: list[int], before: list[int]) -> list[int]:
    """
    Give the counts that came since; the sizes are those of now.
    """
    since = list(map(sub, now, before))
    since[LAST_BYTES], since[PEAK_BYTES] = now[LAST_BYTES], now[PEAK_BYTES]
    return since


def bucket_of(seconds: float) -> int:
    """
    Give the index, in a list of counts, of the bucket of a latency.
    """
    bucket = int(seconds * 4e6).bit_length()
    return LATENCY_FIRST + min(bucket, LATENCY_BUCKETS - 1)


class CallTotals(NamedTuple):
    """
    Counts of one proxy, or of all.
    """

    gets: int
    sets: int
    executes: int
    #: Bytes of request frames, towards the kernel.
    bytes_in: int
    #: Bytes of answers, towards the workers.
    bytes_out: int
    #: Bytes of the last frame and of the largest one: how full the buffer was. Of
    #: threads that are connected the fullest counts, else the one that went last.
    last_bytes: int
    peak_bytes: int
    #: Calls by latency; bucket i is under 2**i / 4 microseconds.
    latency: tuple[int, ...]

    @property
    def calls(self) -> int:
        """
        Requests of all kinds.
        """
        return self.gets + self.sets + self.executes


def totals_of(many: Iterable[list[int]]) -> CallTotals:
    """
    Add up counts. Of the sizes the largest stands for all.
    """
    # A monitor asks for those of a thousand objects, few of which many threads call:
    # one after the other takes half of what columns of a few do.
    total = fresh_counts()
    last = peak = 0
    for counts in many:
        last = max(last, counts[LAST_BYTES])
        peak = max(peak, counts[PEAK_BYTES])
        total = list(map(add, total, counts))
    gets, sets, executes, bytes_in, bytes_out = total[:LAST_BYTES]
    latency = tuple(total[LATENCY_FIRST:])
    return CallTotals(gets, sets, executes, bytes_in, bytes_out, last, peak, latency)


def quantile(latency: tuple[int, ...], share: float) -> float | None:
    """
    Give the latency in seconds under which a share of the calls lies, or None.

    The answer is the upper end of a bucket: at most twice too high.
    """
    wanted = sum(latency) * share
    if not wanted:
        return None
    bucket = seen = 0
    while (seen := seen + latency[bucket]) < wanted:
        bucket += 1
    return float(2**bucket) / 4e6


class ErrorRecord(NamedTuple):
    """
    One exception that went to a worker.
    """

    #: Seconds since the epoch.
    time: float
    type_name: str
    message: str
    #: The object's name or path, and what was asked of it.
    object_name: str
    asked: str
    worker_pid: int
    worker_name: str
    traceback: str


class ErrorGroup(NamedTuple):
    """
    Exceptions of one type, object and message.
    """

    type_name: str
    object_name: str
    message: str
    count: int  # type: ignore[assignment]  # hides the method of tuples
    first: float
    last: float
    worker_pids: tuple[int, ...]
    #: What to do next: a sentence, and a line to copy or "".
    ways_out: tuple[tuple[str, str], ...]
    traceback: str


class ChainStatistics(NamedTuple):
    """
    A path that was cut because it grew longer than allowed.
    """

    path: str
    type_name: str
    #: The level it would have had, and the highest allowed.
    level: int
    max_level: int
    cuts: int


class ErrorLog:
    """
    The last exceptions that went to workers, and how often each kind did.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.records: deque[ErrorRecord] = deque(maxlen=ERRORS_KEPT)
        self.by_type: Counter[str] = Counter()
        #: The last error of an object, by its number.
        self.last_of: dict[int, str] = {}
        self._groups: dict[tuple[str, str, str], ErrorGroup] = {}
        self._cuts: dict[tuple[str, int], ChainStatistics] = {}

    def note(
        self,
        error: BaseException,
        message: str,
        traceback: str,
        idx: int,
        object_name: str,
        asked: str,
        worker: tuple[int, str],
    ) -> None:
        """
        Keep an exception.
        """
        now = time.time()
        kind = type(error).__name__
        pid, name = worker
        record = ErrorRecord(
            now, kind, message, object_name, asked, pid, name, traceback
        )
        key = (kind, object_name, message)
        with self._lock:
            self.records.append(record)
            self.by_type[kind] += 1
            self._set_last(idx, f"{kind}: {message}")
            old = self._groups.get(key)
            if old is None:
                if len(self._groups) >= ERRORS_KEPT:
                    oldest = min(self._groups, key=lambda k: self._groups[k].last)
                    del self._groups[oldest]
                ways = ways_out(error, object_name)
                self._groups[key] = ErrorGroup(
                    *key, 1, now, now, (pid,), ways, traceback
                )
            else:
                pids = old.worker_pids
                if pid not in pids:
                    pids = (*pids, pid)
                self._groups[key] = old._replace(
                    count=old.count + 1,
                    last=now,
                    worker_pids=pids,
                    traceback=traceback,
                )

    def _set_last(self, idx: int, text: str) -> None:
        # The last one goes to the end, so that the first one is the oldest.
        self.last_of.pop(idx, None)
        self.last_of[idx] = text
        if len(self.last_of) > OBJECTS_KEPT:
            del self.last_of[next(iter(self.last_of))]

    def note_cut(
        self,
        error: LimitedProxyChaining,
        message: str,
        path: str,
        type_name: str,
        shared: int,
    ) -> None:
        """
        Count a chain that was cut.

        Args:
            error: What the worker got.
            message: Its text.
            path: Where the chain would have led.
            type_name: The type of what is there.
            shared: The object that the chain begins with. It is told as that one's last
                error too, since what was reached through it may go at once.
        """
        key = (path, error.max_level)
        with self._lock:
            self._set_last(shared, f"{type(error).__name__}: {message}")
            old = self._cuts.get(key)
            cuts = 1 if old is None else old.cuts + 1
            self._cuts[key] = ChainStatistics(
                path, type_name, error.max_level + 1, error.max_level, cuts
            )

    def snapshot(
        self,
    ) -> tuple[
        tuple[ErrorRecord, ...],
        tuple[tuple[str, int], ...],
        tuple[ErrorGroup, ...],
        tuple[ChainStatistics, ...],
    ]:
        """
        Give the records, counts by type, groups (newest first) and cut chains.
        """
        with self._lock:
            groups = sorted(self._groups.values(), key=lambda g: -g.last)
            return (
                tuple(self.records),
                tuple(sorted(self.by_type.items())),
                tuple(groups),
                tuple(self._cuts.values()),
            )
