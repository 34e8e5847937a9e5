"""
Shares: where the time of a run's workers went.

All times are monotonic seconds. Nothing here looks at a clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .counts import place_in
from .task_rows import Spent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Life", "Window", "median_of", "spent_by"]

#: Buckets of durations: bucket i ends at ``2 ** (i / 4)`` microseconds.
PER_OCTAVE, FINEST_S = 4, 1e-6


class Life(NamedTuple):
    """
    What one worker did, as far as one run is concerned.

    Attributes:
        started: When its process started; `ready`: when it first waited for a task;
            `arrived`: when its first task came; `first`: when that began. 0 if not yet.
        ended: When it ended; None while it lives.
        computing: Seconds at tasks of the run, without waiting.
        waiting: Seconds in calls of proxies in these tasks.
        last: When its last task of the run ended; 0 if none has.
        is_at_work: Whether it has a task of the run.
        others: For each other run: seconds at its tasks, and from when to when.
    """

    started: float
    ready: float
    arrived: float
    first: float
    ended: float | None
    computing: float
    waiting: float
    last: float
    is_at_work: bool
    others: Sequence[tuple[float, float, float]]


class Window(NamedTuple):
    """
    The time of a run.

    Attributes:
        first: When its first task was submitted.
        last: When its last one ended; now, while it goes on.
        begun: When its last task began; now, while some have not begun.
    """

    first: float
    last: float
    begun: float


def spent_by(lives: Iterable[Life], window: Window) -> Spent:
    """
    Add up where the time of workers went within the time of a run.
    """
    starting = computing = waiting = queued = empty = 0.0
    for life in lives:
        begin = max(life.started, window.first)
        end = window.last if life.ended is None else min(life.ended, window.last)
        computing += life.computing
        waiting += life.waiting
        if end <= begin:
            continue
        begins = _starting_of(life, begin, end)
        busy = life.computing + life.waiting
        for seconds, since, until in life.others:
            if until > since:
                shared = min(until, end) - max(since, begin)
                busy += seconds * max(shared, 0.0) / (until - since)
        idle = max(end - begin - begins - busy, 0.0)
        tail = 0.0
        if not life.is_at_work:
            tail = min(max(end - max(window.begun, life.last, begin), 0.0), idle)
        starting += begins
        empty += tail
        queued += idle - tail
    return Spent(starting, computing, waiting, queued, empty)


def _starting_of(life: Life, begin: float, end: float) -> float:
    if not life.ready:
        # It has no task before it is ready.
        return end - begin
    found = _overlap(life.started, life.ready, begin, end)
    if life.arrived:
        # To rebuild its first task it imports what that needs.
        found += _overlap(life.arrived, life.first or end, begin, end)
    return found


def _overlap(since: float, until: float, begin: float, end: float) -> float:
    return max(min(until, end) - max(since, begin), 0.0)


def median_of(buckets: Sequence[int]) -> float | None:
    """
    Give the median of durations that are counted in buckets, in seconds.

    Within a bucket they are taken to lie evenly by logarithm.
    """
    place = place_in(buckets, 0.5)
    return None if place is None else float(2 ** (place / PER_OCTAVE) * FINEST_S)
