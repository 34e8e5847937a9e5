"""
What workers of a cluster do for its benchmark.
"""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Counter",
    "count_actor_calls",
    "count_calls",
    "memory",
    "sum_part",
    "time_actor",
    "time_calls",
    "time_each",
]


class Counter:
    """
    An object that is shared, and an actor.
    """

    def add(self, one: int, other: int) -> int:
        """
        Return a sum.
        """
        return one + other


def time_calls(counter: Any, warm: int, calls: int) -> list[int]:
    """
    Time calls of a proxy, in nanoseconds.
    """
    return time_each(lambda: counter.add(1, 2), warm, calls)


def time_actor(actor: Any, warm: int, calls: int) -> list[int]:
    """
    Time calls of an actor, in nanoseconds.
    """
    return time_each(lambda: actor.add(1, 2).result(), warm, calls)


def time_each(call: Callable[[], Any], warm: int, calls: int) -> list[int]:
    """
    Time calls, in nanoseconds, after some that are not timed.
    """
    for _ in range(warm):
        call()
    found = []
    for _ in range(calls):
        began = time.perf_counter_ns()
        call()
        found.append(time.perf_counter_ns() - began)
    return found


def count_calls(counter: Any, threads: int, seconds: float) -> int:
    """
    Count the calls of a proxy by some threads.
    """
    return _count(lambda: counter.add(1, 2), threads, seconds)


def count_actor_calls(actor: Any, threads: int, seconds: float) -> int:
    """
    Count the calls of an actor by some threads.
    """
    return _count(lambda: actor.add(1, 2).result(), threads, seconds)


def _count(call: Callable[[], Any], threads: int, seconds: float) -> int:
    def work(_: int) -> int:
        call()
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            call()
            count += 1
        return count

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(work, range(threads)))


def sum_part(values: Any, part: int) -> float:
    """
    Sum an eighth of an array or a frame.
    """
    values = np.asarray(values)
    rows = len(values) // 8
    return float(values[part * rows : (part + 1) * rows].sum())


def memory() -> int:
    """
    Return the memory of this process, shared pages in part (PSS), in bytes.
    """
    text = Path("/proc/self/smaps_rollup").read_text()
    found = re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024
