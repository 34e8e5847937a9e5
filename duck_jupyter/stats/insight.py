"""
Insight: one sentence about why a run is not faster, by rules, or none.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

from .text import duration, percent

if TYPE_CHECKING:
    from .task_rows import RunRow

__all__ = ["advice_for", "shares_of"]

#: From these shares on something is said.
MUCH_WAITING = 0.20
MUCH_EMPTY = 0.15
MUCH_QUEUED = 0.12
MUCH_STARTING = 0.15
#: Seconds of work that a chunk should have, and how many a worker should get at least.
CHUNK_S = 0.05
CHUNKS_EACH = 2
#: Seconds. Of a run that took less nothing is said: nobody waits for it.
LEAST_S = 1.0
#: Shares in words.
WORDS = (
    (1 / 5, "a fifth"),
    (1 / 4, "a quarter"),
    (1 / 3, "a third"),
    (1 / 2, "half"),
    (2 / 3, "two thirds"),
    (3 / 4, "three quarters"),
    (1, "nearly all"),
)


def advice_for(run: RunRow, kind: str) -> str:
    """
    Give the sentence of the first rule that holds, or "".

    Args:
        run: The run.
        kind: That of its pool.
    """
    spent = run.spent
    total = spent.in_all
    if total <= 0 or run.last - run.first < LEAST_S:
        return ""
    if spent.waiting >= MUCH_WAITING * total:
        name = run.waited_on[0].object if run.waited_on else ""
        share = f"{_share(spent.waiting / total)} of their time"
        if not name:
            return (
                f"Its workers wait on the kernel for {share}, one call at a time runs "
                "there. Take fewer and larger calls."
            )
        root = name.partition(".")[0].partition("[")[0]
        return (
            f"Its workers wait on {name} for {share}, one call at a time runs in the "
            f"kernel. Take fewer and larger calls, or work on a copy: "
            f"fetch(shared.{root})."
        )
    if spent.no_task_empty >= MUCH_EMPTY * total:
        return (
            "Near the end most workers had nothing left to do: the longest tasks began "
            "last. Put them first."
        )
    if spent.no_task_queued >= MUCH_QUEUED * total:
        advice = _about_short_tasks(run, kind)
        if advice:
            return advice
    if spent.starting >= MUCH_STARTING * total:
        return (
            f"Starting the workers took {percent(spent.starting / total)} of their "
            "time. Keep the pool for several cells."
        )
    return ""


def shares_of(run: RunRow) -> list[tuple[str, float]]:
    """
    Give the four shares with their names, in the order in which they are told.
    """
    spent = run.spent
    total = spent.in_all or 1.0
    name = run.waited_on[0].object if run.waited_on else "the kernel"
    idle = spent.no_task_queued + spent.no_task_empty
    return [
        ("computing", spent.computing / total),
        (f"waiting on {name}", spent.waiting / total),
        ("waiting for a task", idle / total),
        ("starting", spent.starting / total),
    ]


def _about_short_tasks(run: RunRow, kind: str) -> str:
    each = run.each_p50
    # Each worker is to get a few chunks.
    most = run.total / (CHUNKS_EACH * max(run.size, 1))
    if not each or most < 2:
        return ""
    size = 2 ** round(log2(CHUNK_S / each)) if each < CHUNK_S else 1
    size = min(size, 2 ** int(log2(most)))
    if size < 2:
        # They are long enough: it is something else.
        return ""
    option = "batch_size" if kind == "joblib" else "chunksize"
    return (
        "Its workers wait for tasks: most likely they are too short "
        f"({duration(each)}) for the notebook to send them fast enough. "
        f"Try {option}={size}."
    )


def _share(value: float) -> str:
    return min(WORDS, key=lambda each: abs(each[0] - value))[1]
