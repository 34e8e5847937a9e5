"""
Workers that call again and again, and measure themselves what the monitor tells.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["JOBS", "Measured", "ask"]

clock = time.perf_counter


class Measured(NamedTuple):
    """
    What a worker measured, in seconds.
    """

    calls: int
    #: From before the first call until after the last one.
    whole: float
    #: Of that, in calls.
    inside: float
    #: Half of the calls took less than this, 99 of 100 less than that; and the longest.
    p50: float
    p99: float
    longest: float


def _read(proxy: Any) -> None:
    _ = proxy.value


def _add(proxy: Any) -> None:
    proxy.add(1, 2)


def _send(proxy: Any) -> None:
    proxy.echo(PAYLOAD)


def _wait(proxy: Any) -> None:
    proxy.wait(0.002)


def _sometimes_wait(proxy: Any) -> None:
    if next(TURNS) % 32:
        proxy.is_set()
    else:
        proxy.wait(0.005)


TURNS = itertools.count()
PAYLOAD = [{"number": n} for n in range(2000)]
#: By name: a worker is told which.
JOBS: dict[str, Callable[[Any], None]] = {
    "read": _read,
    "add": _add,
    "send": _send,
    "wait": _wait,
    "sometimes wait": _sometimes_wait,
}


def ask(proxy: Any, job: str, seconds: float, every: int, own_s: float) -> Measured:
    """
    Call a proxy for some time, and compute something between calls.

    Args:
        proxy: What is called.
        job: What is done with it, of `JOBS`.
        seconds: For how long.
        every: So many calls come one after another.
        own_s: Seconds of own work after them.
    """
    call = JOBS[job]
    took: list[float] = []
    started = ended = clock()
    while ended - started < seconds:
        begun = clock()
        call(proxy)
        ended = clock()
        took.append(ended - begun)
        if own_s and not len(took) % every:
            until = ended + own_s
            while clock() < until:
                pass
    whole = ended - started
    ordered = sorted(took)
    count = len(took)
    p50, p99 = ordered[count // 2], ordered[count * 99 // 100]
    return Measured(count, whole, sum(took), p50, p99, ordered[-1])
