"""
Lines of progress: what is said of a pool while it works, and at its end.

A line is made of pieces, each a text with a style, so that HTML and text say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from .insight import shares_of
from .text import duration, exact, in_bytes, many, percent, with_figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .task_rows import PoolRow, RunRow, Slow

__all__ = [
    "AtWork",
    "Line",
    "Piece",
    "ages_of",
    "ended_line",
    "in_two_units",
    "running_line",
    "speed",
    "time_left",
]

#: From this share of the tasks on, and from so many, the time left is told.
LEAST_SHARE, LEAST_TASKS = 0.02, 3
#: Bytes from which on it is told what was not copied.
LEAST_BYTES = 1 << 20
#: Below a limit in seconds, the step in which the time left is told.
STEPS = ((10, 1), (60, 5), (600, 10), (float("inf"), 60))
#: Characters of a function's name.
MOST_OF_NAME = 24


class Piece(NamedTuple):
    """
    A text, and its style: "", "number", "bad" or "code".
    """

    text: str
    style: str = ""


class AtWork(Protocol):
    """
    A worker, whose row or state it is.
    """

    @property
    def run(self) -> int | None:
        """
        The run of its task, or None.
        """
        ...

    @property
    def task_since(self) -> float | None:
        """
        When its task began, in seconds since the epoch, or None.
        """
        ...


#: A fact is read as one.
Fact = tuple[Piece, ...]


class Line(NamedTuple):
    """
    What is said of one pool.

    Attributes:
        state: "running", "ended", "stopped" or "broken".
        name: The function.
        done: How many of `total` tasks have ended, or None where there is no bar.
        facts: In the order of their weight.
        insight: Where the time went; empty while it runs.
        details: More about it, one statement each.
    """

    state: str
    name: str
    done: int | None
    total: int | None
    facts: tuple[Fact, ...]
    insight: Fact = ()
    details: tuple[Fact, ...] = ()


def running_line(
    run: RunRow, now: float, ages: Sequence[float] = (), more: int = 0
) -> Line:
    """
    Say how far a run is.

    Args:
        run: The run.
        now: Seconds since the epoch.
        ages: For how many seconds its tasks in hand have been running.
        more: How many other functions its pool runs.
    """
    facts: list[Fact] = []
    if run.total_known:
        facts.append((_number(run.done), Piece(f" / {exact(run.total)}")))
    else:
        facts.append((_number(run.done), Piece(" so far")))
    if run.failed:
        facts.append((Piece(f"{exact(run.failed)} failed", "bad"),))
    if run.lost:
        facts.append((Piece(f"{exact(run.lost)} lost", "bad"),))
    left = time_left(run, now, ages)
    if left is not None:
        facts.append((Piece(in_two_units(left), "number"), Piece(" left")))
    if run.done:
        value, unit = speed(run, now)
        facts.append((Piece(value, "number"), Piece(unit)))
    at_work = Piece(f" of {exact(run.size)} at work")
    facts.append((_number(run.in_hand), at_work))
    facts += _not_copied(run)
    total = run.total if run.total_known else None
    return Line("running", _name(run, more), run.done, total, tuple(facts))


def ended_line(
    run: RunRow, pool: PoolRow | None, *, interrupted: bool, more: int = 0
) -> Line:
    """
    Say what a run has done, once it is over or its cell is.

    Args:
        run: The run.
        pool: Its pool, if it is known.
        interrupted: Its cell was interrupted.
        more: How many other functions its pool ran.
    """
    name, how = _name(run, more), None if pool is None else pool.how
    took = max((run.ended or run.last) - run.first, 0.0)
    after = (Piece("after "), Piece(in_two_units(took), "number"))
    at = (_number(run.done), Piece(f" of {exact(run.total)}"))
    not_done = run.total - run.done
    if not_done <= 0:
        return _whole_line(run, name, took)
    if how == "broken":
        facts: list[Fact] = [(Piece(f"broke at {at[0].text}{at[1].text}", "bad"),)]
        facts.append(after)
        facts += [(Piece(words),) for words in run.killed[:1]]
        facts.append((Piece(f"{many(not_done, 'task')} not done"),))
        return Line("broken", name, None, None, tuple(facts))
    # An interrupted cell does not wait long for the end of its tasks.
    if (run.in_hand or run.queued) and not interrupted:
        return Line("stopped", name, None, None, ((Piece("goes on, "), *at),))
    word = "interrupted at " if interrupted else "stopped at "
    facts = [(Piece(word), *at), after]
    facts += _failures(run)
    if how is not None:
        facts.append((Piece(f"{many(run.size, 'worker')} ended"),))
    return Line("stopped", name, None, None, tuple(facts))


def speed(run: RunRow, now: float) -> tuple[str, str]:
    """
    Write how many tasks have ended in a second, or in a minute if it is less than one.

    Args:
        run: The run.
        now: Seconds since the epoch; the end of a run that is over counts instead.

    Returns:
        The number, and the unit.
    """
    took = (run.ended or now) - run.first
    value = run.done / took if took > 0 else 0.0
    if value >= 1:
        return with_figures(value, 2), "/s"
    return with_figures(value * 60, 2), "/min"


def time_left(run: RunRow, now: float, ages: Sequence[float] = ()) -> float | None:
    """
    Say for how many seconds a run goes on; None where that is not known.

    It is the mean of the whole run, in coarse steps. While fewer tasks have ended than
    there are workers, those in hand are taken to be as long as those that have ended.

    Args:
        run: The run.
        now: Seconds since the epoch.
        ages: For how many seconds its tasks in hand have been running.
    """
    done, elapsed = run.done, now - run.first
    is_little = done < LEAST_TASKS or done < LEAST_SHARE * run.total
    if is_little or not run.total_known or elapsed <= 0:
        return None
    left = (run.total - done) * elapsed / done
    if done < run.size and run.each_p50 is not None and ages:
        left = max(left, run.each_p50 - sum(ages) / len(ages))
    for limit, step in STEPS:
        if left < limit:
            left = round(left / step) * step
            break
    return max(float(left), 1.0)


def ages_of(run: RunRow, workers: Iterable[AtWork], now: float) -> list[float]:
    """
    Say for how many seconds the tasks in hand of a run have been running.

    Args:
        run: The run.
        workers: Those of all pools.
        now: Seconds since the epoch.
    """
    return [
        now - worker.task_since
        for worker in workers
        if worker.run == run.id and worker.task_since is not None
    ]


def in_two_units(seconds: float) -> str:
    """
    Write a duration in one or two units, such as ``1 m 48 s``.
    """
    whole = round(seconds)
    if seconds < 9.95:
        return duration(seconds)
    if whole < 60:
        return f"{whole} s"
    first, second, size = ("m", "s", 60) if whole < 3600 else ("h", "m", 3600)
    count, rest = divmod(whole, size)
    rest = rest if second == "s" else rest // 60
    return f"{exact(count)} {first} {rest} {second}" if rest else f"{count} {first}"


def _whole_line(run: RunRow, name: str, took: float) -> Line:
    noun = " task in " if run.done == 1 else " tasks in "
    facts: list[Fact] = [
        (_number(run.done), Piece(noun), Piece(in_two_units(took), "number")),
        (
            Piece("worth "),
            Piece(with_figures(run.worth, 2), "number"),
            Piece(f" of {many(run.size, 'worker')}"),
        ),
        *_failures(run),
        *_not_copied(run),
    ]
    return Line(
        *("ended", name, None, None, tuple(facts)),
        insight=_insight(run),
        details=_details(run),
    )


def _insight(run: RunRow) -> Fact:
    shares = sorted(shares_of(run), key=lambda share: -share[1])
    words = [f"{name} {percent(value)}" for name, value in shares if value >= 0.005]
    pieces = [Piece(" · ".join(words))]
    if run.slowest:
        slow = run.slowest[0]
        pieces += [Piece(" · slowest "), *_call(run, slow)]
    return tuple(pieces)


def _details(run: RunRow) -> tuple[Fact, ...]:
    found: list[Fact] = []
    if run.slowest:
        pieces = [Piece("Slowest: ")]
        for number, slow in enumerate(run.slowest):
            pieces += [Piece(", " if number else ""), *_call(run, slow)]
        found.append(tuple(pieces))
    if run.advice:
        found.append((Piece(run.advice),))
    if run.failures:
        pieces = [Piece("Failed: ")]
        for number, (kind, count) in enumerate(run.failures):
            pieces += [
                Piece(", " if number else ""),
                Piece(kind, "code"),
                Piece(f" {exact(count)}"),
            ]
        pieces += [
            Piece(". They are in Errors of "),
            Piece("%duck monitor", "code"),
            Piece("."),
        ]
        found.append(tuple(pieces))
    return tuple(found)


def _call(run: RunRow, slow: Slow) -> Fact:
    return (
        Piece(f"{run.function}({slow.arguments})", "code"),
        Piece(f" {in_two_units(slow.seconds)}"),
    )


def _failures(run: RunRow) -> list[Fact]:
    counts = ((run.failed, "failed"), (run.lost, "lost"))
    return [(Piece(f"{exact(n)} {word}", "bad"),) for n, word in counts if n]


def _not_copied(run: RunRow) -> list[Fact]:
    if run.not_copied < LEAST_BYTES:
        return []
    return [(Piece(in_bytes(run.not_copied), "number"), Piece(" not copied"))]


def _number(count: int) -> Piece:
    return Piece(exact(count), "number")


def _name(run: RunRow, more: int) -> str:
    name = run.function
    if len(name) > MOST_OF_NAME:
        half = MOST_OF_NAME // 2
        name = f"{name[:half]}…{name[1 - half :]}"
    return f"{name} +{more}" if more else name
