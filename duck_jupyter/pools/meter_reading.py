"""
Reading the meters of workers, in the notebook, when somebody looks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import meter_layout as at

__all__ = [
    "Cell",
    "Kind",
    "Long",
    "Reading",
    "Slowest",
    "mark_collected",
    "read_meter",
]


class Slowest(NamedTuple):
    """
    One of the slowest tasks: seconds, when it ended, arguments.
    """

    seconds: float
    when: float
    arguments: str


class Cell(NamedTuple):
    """
    What a worker did for one run. Times are monotonic seconds.
    """

    run: int
    done: int
    failed: int
    computing: float
    waiting: float
    begun: int
    cut: int
    first: float
    began: float
    ended: float
    slowest: tuple[Slowest, ...]
    buckets: tuple[int, ...]


class Kind(NamedTuple):
    """
    Errors of one run with one type and message, and the last arguments.
    """

    run: int
    times: int
    first: float
    last: float
    arguments: str
    type: str
    message: str


class Long(NamedTuple):
    """
    A task that took long.
    """

    run: int
    began: float
    ended: float
    waited: float
    arguments: str
    type: str
    message: str


class Reading(NamedTuple):
    """
    All that a worker has counted.

    Attributes:
        hand: The run of the task in hand, 0 if there is none.
        left: Of that task, how many items have not ended.
        arguments: Of the item in hand, if they are known.
        cells: By number, those that were not used again.
        past: Done, failed, computing, waiting of those that were.
    """

    id: int
    pool: int
    started: float
    ready: float
    arrived: float
    first: float
    hand: int
    since: float
    waited_at: float
    left: int
    arguments: str
    cells: dict[int, Cell]
    kinds: list[Kind]
    longs: list[Long]
    past: tuple[int, int, float, float]


def read_meter(memory: memoryview, after: float) -> Reading | None:
    """
    Read a meter.

    Args:
        memory: Its bytes.
        after: Give the long tasks that ended later, in monotonic seconds.

    Returns:
        None where nobody counts there, or another worker has begun to.
    """
    words: Any = memory.cast("Q")
    floats: Any = memory.cast("d")
    number = words[at.ID]
    if not number or number == words[at.COLLECTED]:
        return None
    first = max(0, words[at.CELL] - at.CELLS)
    cells = {i: _cell(memory, words, floats, i) for i in range(first, words[at.CELL])}
    hand, left = words[at.HAND], 0
    run = 0
    if hand:
        cell = at.CELLS_AT + (hand - 1) * at.CELL_WORDS
        run, left = words[cell + at.RUN], words[at.UNTIL] - words[cell + at.DONE]
    kinds = [_kind(memory, words, floats, i) for i in range(words[at.KIND])]
    past_sums = words[at.PAST : at.PAST + 2].tolist()
    past_times = floats[at.PAST + 2 : at.PAST + 4].tolist()
    found = Reading(
        id=number,
        pool=words[at.POOL],
        started=floats[at.STARTED],
        ready=floats[at.READY],
        arrived=floats[at.ARRIVED],
        first=floats[at.FIRST],
        hand=run,
        since=floats[at.SINCE],
        waited_at=floats[at.WAITED_AT],
        left=max(left, 0),
        arguments=_text(memory, at.TEXT_AT, at.TEXT_WORDS) if words[at.ARGS] else "",
        cells=cells,
        kinds=kinds,
        longs=_longs(memory, words, floats, after),
        past=(*past_sums, *past_times),
    )
    return found if words[at.ID] == number else None


def mark_collected(memory: memoryview) -> None:
    """
    Note that what a worker had counted at its end was taken.
    """
    words = memory.cast("Q")
    words[at.COLLECTED] = words[at.ID]


def _cell(memory: memoryview, words: Any, floats: Any, number: int) -> Cell:
    place = at.CELLS_AT + number % at.CELLS * at.CELL_WORDS
    places = [place + at.SLOW_AT + i * at.SLOW_WORDS for i in range(at.SLOWEST)]
    slowest = [
        Slowest(floats[each], floats[each + 1], _text(memory, each + 2, at.TEXT_WORDS))
        for each in places
        if floats[each]
    ]
    buckets = place + at.BUCKETS_AT
    return Cell(
        run=words[place + at.RUN],
        done=words[place + at.DONE],
        failed=words[place + at.FAILED],
        computing=floats[place + at.COMPUTING],
        waiting=floats[place + at.WAITING],
        begun=words[place + at.BEGUN],
        cut=words[place + at.CUT],
        first=floats[place + at.FROM],
        began=floats[place + at.BEGAN],
        ended=floats[place + at.ENDED],
        slowest=tuple(slowest),
        buckets=tuple(words[buckets : buckets + at.BUCKETS].tolist()),
    )


def _kind(memory: memoryview, words: Any, floats: Any, number: int) -> Kind:
    place = at.KINDS_AT + number * at.KIND_WORDS
    return Kind(
        words[place + at.KIND_RUN],
        words[place + at.KIND_COUNT],
        floats[place + at.KIND_FIRST],
        floats[place + at.KIND_LAST],
        *(_text(memory, place + first, size) for first, size in at.KIND_TEXTS),
    )


def _longs(memory: memoryview, words: Any, floats: Any, after: float) -> list[Long]:
    found = []
    end = words[at.LONG]
    for number in range(max(0, end - at.LONGS), end):
        place = at.LONGS_AT + number % at.LONGS * at.LONG_WORDS
        if floats[place + at.LONG_ENDED] > after:
            found.append(
                Long(
                    words[place + at.LONG_RUN],
                    *floats[
                        place + at.LONG_BEGAN : place + at.LONG_WAITED + 1
                    ].tolist(),
                    *(_text(memory, place + a, size) for a, size in at.LONG_TEXTS),
                )
            )
    return found


def _text(memory: memoryview, place: int, size: int) -> str:
    data = bytes(memory[place * 8 : (place + size) * 8]).rstrip(b"\0")
    return data.decode("utf-8", "ignore")
