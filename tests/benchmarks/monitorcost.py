"""
What pictures for the monitor cost a server that is busy.

On a machine that others use too, the rate of the same calls differs by a third from one
minute to the next, and by much less within a second. So the clients never pause,
pictures are asked for three quarters of a second apart, and the tenth of a second from
each on is compared with the rest until the next one, hundreds of times. What it lost
are calls of a quarter of a second, where there are four pictures a second. As a control
a later tenth is compared with the same rest.
"""

from __future__ import annotations

import bisect
import itertools
import math
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from . import workloads
from .station import Station
from .table import Row, not_above

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Sequence

    from tests.monitor.fronts import Front

__all__ = ["Load", "measure_cost"]

#: Seconds from one picture to the next for those who look, and here.
PERIOD_S = 0.25
APART_S = 0.75
#: Seconds in which a picture is taken and sent; it takes some milliseconds.
TENTH_S = 0.1
#: It says when it was taken, a moment after its work has begun.
AHEAD_S = 0.02
#: Seconds from a picture to the tenth of the control.
CONTROL_S = 0.35
#: Seconds of work before the first picture and after the last.
MARGIN_S = 1.0
#: Whoever looks says so again in time.
AGAIN_S = 20.0
VIEWER = "benchmark"


class Load(NamedTuple):
    """
    What keeps a server busy.
    """

    clients: int
    #: In words, such as ``"1 client that reads"``.
    words: str
    #: Notes when its calls were over, as `workloads.note_reads` does.
    job: Callable[[Any, float], array[float]]


LOADS = (
    Load(1, "1 client that reads", workloads.note_reads),
    Load(2, "2 clients whose calls compute", workloads.note_sums),
)


def measure_cost(front: Front, target: Any, seconds: float) -> list[Row]:
    """
    Measure with several loads.

    Args:
        front: A front end of the kernel that serves.
        target: A proxy of a `workloads.Target`.
        seconds: Seconds with each load.
    """
    return [row for load in LOADS for row in measure_with(front, target, load, seconds)]


def measure_with(front: Front, target: Any, load: Load, seconds: float) -> list[Row]:
    """
    Measure with one load.
    """
    with ExitStack() as stack:
        clients = [
            stack.enter_context(Station(f"client-{i}")) for i in range(load.clients)
        ]
        for client in clients:
            client.run(load.job, target, 0.0)
        for client in clients:
            client.start(load.job, target, seconds + 2 * MARGIN_S)
        began = time.monotonic()
        pictures = look(front, began + MARGIN_S, began + MARGIN_S + seconds)
        notes = [client.result() for client in clients]
    cost = lost([around(notes, picture, 0.0) for picture in pictures])
    noise = lost([around(notes, picture, CONTROL_S) for picture in pictures])
    return [
        not_above(f"monitor's cost, {load.words}", "% of calls/s", cost.share, 2),
        Row(f"its standard error, {load.words}", "%", cost.error),
        Row(f"the same without a picture, {load.words}", "% of calls/s", noise.share),
    ]


class Lost(NamedTuple):
    """
    What pictures cost, in percent of the calls between two of them.
    """

    share: float
    error: float


def lost(pairs: Sequence[tuple[float, float]]) -> Lost:
    """
    Compare all calls in a tenth of a second with all of as much time beside it.

    Args:
        pairs: What `around` gives for each picture.

    Returns:
        The ratio of the sums, and its standard error (Cochran, Sampling Techniques,
        6.4); a mean of ratios would be biased by as much as the rates vary.
    """
    here, rest = (sum(column) for column in zip(*pairs, strict=True))
    ratio = here / rest
    spread = sum((one - ratio * other) ** 2 for one, other in pairs)
    percent = 100 * TENTH_S / PERIOD_S
    return Lost(percent * (1 - ratio), percent * math.sqrt(spread) / rest)


def around(
    notes: Sequence[array[float]], picture: float, after_s: float
) -> tuple[float, float]:
    """
    Count the calls in a tenth of a second, and as many as the rest has in a tenth.

    Args:
        notes: When batches of calls were over, of each client.
        picture: When the work for a picture began.
        after_s: Seconds from there to the tenth; 0 or more than one.
    """
    here = calls(notes, picture + after_s, picture + after_s + TENTH_S)
    rest = calls(notes, picture + TENTH_S, picture + APART_S - AHEAD_S)
    rest_s = APART_S - AHEAD_S - TENTH_S
    if after_s:
        rest, rest_s = rest - here, rest_s - TENTH_S
    return here, rest * TENTH_S / rest_s


def look(front: Front, start: float, end: float) -> list[float]:
    """
    Have pictures taken, and tell when the work for each began.

    Args:
        front: Whoever looks.
        start: From when on, by the monotonic clock.
        end: Until when.

    Returns:
        The moments; those between which the pace was not kept are left out.
    """
    clock = time.time() - time.monotonic()
    moments = []
    again = time.monotonic()
    while time.monotonic() < end:
        if time.monotonic() >= again:
            front.ask("duck_watch", viewer=VIEWER, quiet=True, every=APART_S)
            again = time.monotonic() + AGAIN_S
        taken = front.tick()["time"] - clock - AHEAD_S
        if taken >= start:
            moments.append(taken)
    front.ask("duck_unwatch", viewer=VIEWER)
    front.drain()
    apart = APART_S - AHEAD_S
    kept = [after - before > apart for before, after in itertools.pairwise(moments)]
    return [
        moment
        for moment, *paced in zip(moments[1:-1], kept[:-1], kept[1:], strict=True)
        if all(paced)
    ]


def calls(notes: Sequence[array[float]], begin: float, end: float) -> float:
    """
    Count the batches of calls that were over in some time.
    """
    return sum(done_by(each, end) - done_by(each, begin) for each in notes)


def done_by(notes: array[float], moment: float) -> float:
    """
    Tell how many batches were over at a moment, the one under way in part.
    """
    after = bisect.bisect(notes, moment)
    before, end = notes[after - 1], notes[after]
    return after + (moment - before) / (end - before)
