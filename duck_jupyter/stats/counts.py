"""
The counters of the server.

The hot path only adds to plain lists, after the answer was sent. Everything else is
computed when the statistics are read.

Latency is the time from a worker's request to its answer. It is known of every call
whose worker blocks, and of one in 64 of the others, which then counts 64 times
(`transport.lanes.SAMPLE_EVERY`).
"""

from __future__ import annotations

from operator import add, sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "BESIDE",
    "BUFFER_BYTES",
    "BYTES_IN",
    "BYTES_OUT",
    "EXECUTES",
    "GETS",
    "LAST_BYTES",
    "LATENCY_BUCKETS",
    "LATENCY_FIRST",
    "PEAK_BYTES",
    "SETS",
    "SIZES",
    "add_counts",
    "bucket_of",
    "calls_in",
    "difference",
    "fresh_counts",
    "place_in",
    "sum_of",
]

#: Indices of a list of counts; the first three are the opcodes.
GETS, SETS, EXECUTES, BYTES_IN, BYTES_OUT, BESIDE = range(6)
#: Sizes, of which a sum takes the largest: bytes of the last frame, of the largest one
#: that fitted the buffer, and of the buffer.
LAST_BYTES, PEAK_BYTES, BUFFER_BYTES = SIZES = range(6, 9)
LATENCY_FIRST = 9
#: Bucket i holds latencies under 2**i / 4 microseconds, and not under half of that.
LATENCY_BUCKETS = 32


def fresh_counts() -> list[int]:
    """
    Return the counts of an object that was never called.
    """
    return [0] * (LATENCY_FIRST + LATENCY_BUCKETS)


def add_counts(total: list[int], counts: list[int]) -> None:
    """
    Add later counts to others, in place; the largest peak stays.
    """
    sizes = list(map(max, total[LAST_BYTES:LATENCY_FIRST], counts[LAST_BYTES:]))
    sizes[0] = counts[LAST_BYTES] or total[LAST_BYTES]
    total[:] = map(add, total, counts)
    total[LAST_BYTES:LATENCY_FIRST] = sizes


def difference(now: list[int], before: list[int]) -> list[int]:
    """
    Return the counts since then; the sizes are the present ones.
    """
    since = list(map(sub, now, before))
    since[LAST_BYTES:LATENCY_FIRST] = now[LAST_BYTES:LATENCY_FIRST]
    return since


def bucket_of(seconds: float) -> int:
    """
    Return the index of the bucket of a latency in a list of counts.
    """
    bucket = int(seconds * 4e6).bit_length()
    return LATENCY_FIRST + min(bucket, LATENCY_BUCKETS - 1)


def sum_of(many: Iterable[list[int]]) -> list[int]:
    """
    Add up counts; of the sizes take the largest.
    """
    # A monitor reads a thousand objects, and few of them are called by many threads.
    # Adding row by row then takes half the time of adding column by column.
    total = fresh_counts()
    last = peak = buffer = 0
    for counts in many:
        last = max(last, counts[LAST_BYTES])
        peak = max(peak, counts[PEAK_BYTES])
        buffer = max(buffer, counts[BUFFER_BYTES])
        total = list(map(add, total, counts))
    total[LAST_BYTES:LATENCY_FIRST] = last, peak, buffer
    return total


def calls_in(counts: list[int]) -> int:
    """
    Return the number of requests of all kinds.
    """
    return sum(counts[:BYTES_IN])


def place_in(buckets: Sequence[int], share: float) -> float | None:
    """
    Return the place among buckets that a share of what they count lies below.

    What a bucket counts is taken to lie evenly in it, and bucket i to end at place i.

    Args:
        buckets: Counts.
        share: From 0 to 1.

    Returns:
        The place, or None if nothing is counted below it.
    """
    wanted = sum(buckets) * share
    if wanted <= 0:
        return None
    seen = 0
    for bucket, count in enumerate(buckets):
        if count and seen + count >= wanted:
            return bucket - 1 + (wanted - seen) / count
        seen += count
    return None
