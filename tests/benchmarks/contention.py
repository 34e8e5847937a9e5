"""
Many clients at once: ``python -m tests.benchmarks.contention [--quick] [--json]``.

Locks beside a Manager's, workers with several threads, and the first call of a worker.
With ``--before FOLDER``, the checkout of an earlier version, also what a change must
not make slower: that version's server and workers take turns with ours, round by round.

A row that does not hold is no failure of the run: it says so in the table.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.processes import ROOT

from . import servers
from .command import make_parser, print_table
from .fresh import measure_first_calls
from .peers import start_manager
from .station import Station
from .table import Row, beside, not_above, not_below, within
from .versions import Version

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["main"]

CLIENTS = (1, 4)
ANSWERS = {"100 kB": 100_000, "1 MB": 1_000_000, "100 MB": 100_000_000}
#: Processes and the threads of each, all of which take one lock.
HERDS = ((2, 1), (8, 2), (16, 4), (32, 4))
CROWD = (64, 4)


class ContentionSize(NamedTuple):
    """
    How long a run takes. Two sides take turns by rounds.
    """

    call_rounds: int
    #: Seconds of a round.
    call_s: float
    answer_rounds: int
    answer_s: float
    lock_rounds: int
    lock_s: float
    #: Seconds of many workers, once.
    mixed_s: float
    #: Forked workers for the first call, of each kind.
    forked: int


FULL = ContentionSize(
    call_rounds=21,
    call_s=0.2,
    answer_rounds=9,
    answer_s=0.3,
    lock_rounds=5,
    lock_s=2.0,
    mixed_s=60.0,
    forked=41,
)
QUICK = ContentionSize(
    call_rounds=1,
    call_s=0.1,
    answer_rounds=1,
    answer_s=0.1,
    lock_rounds=1,
    lock_s=0.3,
    mixed_s=1.0,
    forked=3,
)


def by_turns(
    rounds: int, sides: tuple[Version, Version], job: str, *args: Any
) -> tuple[list[Any], list[Any]]:
    """
    Have a job done by two sides; who begins changes from round to round.

    Returns:
        What each gave, by round.
    """
    found: tuple[list[Any], list[Any]] = ([], [])
    for i in range(rounds):
        for side in (0, 1) if i % 2 else (1, 0):
            found[side].append(sides[side].run(job, *args))
    return found


def medians(found: tuple[list[Any], list[Any]]) -> tuple[float, float]:
    """
    Give the median over the rounds, of each side.
    """
    ours, theirs = map(statistics.median, found)
    return ours, theirs


def measure_calls(sides: tuple[Version, Version], size: ContentionSize) -> list[Row]:
    """
    Measure reads and calls of one client and of several, against the version before.
    """
    rows = []
    jobs = {"attribute read": "time_reads", "method call add(1, 2)": "time_calls"}
    for clients in CLIENTS:
        for name, job in jobs.items():
            found = by_turns(size.call_rounds, sides, job, clients, size.call_s)
            ours, theirs = (1e6 * each for each in medians(found))
            measure = f"{name}, p50, {clients} client{'s' * (clients > 1)}: before"
            rows.append(within(measure, "us", ours, theirs, 1.05))
    return rows


def measure_answers(sides: tuple[Version, Version], size: ContentionSize) -> list[Row]:
    """
    Measure large answers, against the version before.
    """
    rows = []
    for name, count in ANSWERS.items():
        found = by_turns(
            size.answer_rounds, sides, "time_answers", count, size.answer_s
        )
        ours, theirs = (1e3 * each for each in medians(found))
        rows.append(beside(f"answer of {name}, p50: before", "ms", ours, theirs, 1))
    return rows


def measure_against(
    before: Path | None, ours: Version, size: ContentionSize
) -> list[Row]:
    """
    Measure what a change must not make slower.

    Args:
        before: The checkout of the version before; without it there is nothing to
            measure, and a row that says so.
        ours: This version.
        size: How often.
    """
    if before is None:
        return [Row("calls and answers: no version before was given", "us", None)]
    with Version(before) as theirs:
        sides = ours, theirs
        return [*measure_calls(sides, size), *measure_answers(sides, size)]


def measure_locks(ours: Version, size: ContentionSize) -> list[Row]:
    """
    Measure one lock that many threads take, against a Manager's.
    """
    rows = []
    with Version(ROOT, "manager") as manager:
        for herd in HERDS:
            found = by_turns(
                size.lock_rounds, (ours, manager), "count_blocks", *herd, size.lock_s
            )
            rates = [[sum(counts) / size.lock_s for counts in side] for side in found]
            measure = f"locked, {herd[0] * herd[1]} threads: Manager's Lock"
            per_second = medians((rates[0], rates[1]))
            rows.append(not_below(measure, "blocks/s", *per_second, 1.5))
    fewest, most = (statistics.median(map(end, found[0])) for end in (min, max))
    measure = f"fewest blocks of a thread, {herd[0] * herd[1]} threads: the most"
    return [*rows, not_below(measure, "blocks", fewest, most, 0.5)]


def measure_crowd(ours: Version, size: ContentionSize) -> list[Row]:
    """
    Measure many workers with several threads, whose calls are mixed.
    """
    p999, longest, calls = ours.run("mix_calls", *CROWD, size.mixed_s)
    what = "{} workers x {} threads, {:g} s".format(*CROWD, size.mixed_s)
    fewest, mean = float(min(calls)), statistics.mean(calls)
    return [
        not_above(f"{what}: call, p99.9", "s", p999, 1),
        Row(f"{what}: longest call", "s", longest),
        Row(f"{what}: calls in all", "calls/s", sum(calls) / size.mixed_s),
        not_below(f"{what}: fewest of a worker: mean", "calls", fewest, mean, 0.5),
    ]


def measure_first(size: ContentionSize) -> list[Row]:
    """
    Measure the first call of a fresh worker, against a Manager's.
    """
    with ExitStack() as stack:
        peer = start_manager(1)
        stack.callback(peer.manager.shutdown)
        target, _ = stack.enter_context(Station("server")).run(servers.serve, 1)
        return measure_first_calls(target, peer, size.forked)


def measurement(before: Path | None) -> Callable[[ContentionSize], list[Row]]:
    """
    Give what measures everything.

    Args:
        before: The checkout of the version before, where there is one.
    """

    def measure(size: ContentionSize) -> list[Row]:
        with Version(ROOT) as ours:
            return [
                *measure_against(before, ours, size),
                *measure_locks(ours, size),
                *measure_crowd(ours, size),
                *measure_first(size),
            ]

    return measure


def main() -> None:
    """
    Measure, and print the table.
    """
    what = "Measure many clients beside a Manager, and beside an earlier version."
    parser = make_parser("contention", what)
    parser.add_argument(
        "--before", type=Path, metavar="FOLDER", help="a checkout of an earlier version"
    )
    options = parser.parse_args()
    print_table(options, (FULL, QUICK), measurement(options.before))


if __name__ == "__main__":
    main()
