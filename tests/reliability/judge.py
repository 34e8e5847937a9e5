"""
Compares what the workers' ledgers say with what was done to the objects.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .ledger import Call, Pages
    from .targets import Targets
    from .totals import Totals

__all__ = [
    "count_calls",
    "count_changes",
    "count_holders",
    "count_items",
    "missing_items",
]

TAGGED = ("add", "take", "nested")
#: Operations with one change each, and the attribute that counts them.
COUNTED = {"locked": "number", "gate": "guarded"}
#: Items that one iteration takes at most.
BATCH = 3


def count_calls(pages: Pages, totals: Totals) -> None:
    """
    Count how the calls ended, as their workers saw it.
    """
    words = Counter(call.word for call in pages.calls.values())
    totals.acknowledged += words["ack"] + words["late"]
    totals.interrupts += words["late"] + words["cut"] + words["edge"]
    totals.cut += words["cut"]
    totals.unknown += words["edge"] + words["begin"]
    totals.wrong += words["wrong"]
    for call in pages.calls.values():
        if call.word == "wrong":
            totals.note(f"wrong: {call.kind} {call.tag}: {call.value}")
    totals.files_touched += len(pages.foreign)
    for text in pages.foreign:
        totals.note(f"in a ledger: {text!r}")


def count_changes(pages: Pages, targets: Targets, totals: Totals) -> None:
    """
    Compare acknowledged changes with those that were made.
    """
    board = targets.board
    applied = board.applied
    calls = {call.tag: call for call in pages.of(*TAGGED)}
    for tag, call in calls.items():
        if call.done and not applied[tag]:
            totals.lost += 1
            totals.note(f"lost: {call.kind} {tag} was acknowledged and not done")
    for tag, times in applied.items():
        if times and tag not in calls:
            totals.wrong += 1
            totals.note(f"wrong: {tag!r} was done and never asked for")
        if times > 1:
            totals.doubled += 1
            totals.note(f"doubled: {tag} was done {times} times")
    totals.wrong += len(board.wrong)
    for text in board.wrong:
        totals.note(f"wrong: {text}")
    for kind, attribute in COUNTED.items():
        _count_steps(pages.of(kind), kind, getattr(board, attribute), totals)


def _count_steps(calls: list[Call], kind: str, value: int, totals: Totals) -> None:
    """
    Compare a number with the acknowledged steps by which it grew.
    """
    done = sum(call.done for call in calls)
    open_ = sum(not call.done for call in calls)
    if value < done:
        totals.lost += done - value
        totals.note(f"lost: {done - value} of {done:,} changes under {kind}")
    elif value > done + open_:
        totals.doubled += value - done - open_
        totals.note(f"doubled: {value - done - open_} changes under {kind}")


def count_holders(pages: Pages, died: Mapping[int, float]) -> tuple[int, int]:
    """
    Count the killed workers that had acquired a lock, and those that were about to.
    """
    last = {
        call.worker: call
        for call in pages.of("acquire", "release", "probe")
        if call.worker in died
    }
    acquired = [call for call in last.values() if call.kind == "acquire"]
    holding = sum(call.done for call in acquired)
    return holding, sum(call.word == "begin" for call in acquired)


def _taken(calls: list[Call]) -> Counter[int]:
    return Counter(
        int(item)
        for call in calls
        if call.word != "wrong"
        for item in call.value.split(",")
        if item
    )


def missing_items(
    pages: Pages, targets: Targets, died: Mapping[int, float]
) -> tuple[list[int], list[int]]:
    """
    Find queue items that nobody has, and those that somebody has twice.

    A worker that was killed may have taken one item, handed out before it was dead. So
    may one whose interrupt came after the call's return. A call that was cut has none.

    Args:
        pages: The ledgers.
        targets: The objects.
        died: When killed workers were dead, in monotonic seconds, by number.

    Returns:
        The missing and the doubled items.
    """
    items = targets.items
    calls = pages.of("get")
    taken = _taken(calls)
    waiting = items.waiting()
    doubled = [item for item, n in taken.items() if n > 1 or item in waiting]
    absent = set(range(1, items.count + 1)) - set(taken) - waiting
    unresolved = sorted(
        (
            died.get(call.worker, math.inf) if call.word == "begin" else math.inf
            for call in calls
            if call.word in ("begin", "edge", "wrong")
        ),
        reverse=True,
    )
    missing = []
    used = 0
    for item in sorted(absent, key=lambda item: -items.handed.get(item, 0.0)):
        if used < len(unresolved) and unresolved[used] >= items.handed.get(item, 0.0):
            used += 1
        else:
            missing.append(item)
    return missing, doubled


def count_items(
    pages: Pages, targets: Targets, died: Mapping[int, float], totals: Totals
) -> None:
    """
    Compare the items that were handed out with those that arrived.
    """
    missing, doubled = missing_items(pages, targets, died)
    totals.lost += len(missing)
    totals.doubled += len(doubled)
    if missing:
        totals.note(f"lost: {len(missing)} items of the queue, as {missing[:5]}")
    if doubled:
        totals.note(f"doubled: {len(doubled)} items of the queue, as {doubled[:5]}")
    calls = pages.of("stream")
    taken = _taken(calls)
    doubled = [item for item, n in taken.items() if n > 1]
    # An interrupted iteration has lost one item at most, one of a killed worker all.
    allowed = sum(BATCH if c.word in ("begin", "wrong") else not c.done for c in calls)
    lost = targets.stream.count - len(taken) - allowed
    totals.doubled += len(doubled)
    if doubled:
        totals.note(f"doubled: {len(doubled)} items of the stream, as {doubled[:5]}")
    if lost > 0:
        totals.lost += lost
        totals.note(f"lost: {lost} items of the stream")
    if taken and max(taken) > targets.stream.count:
        totals.wrong += 1
        totals.note(f"wrong: item {max(taken)} of the stream was never made")
