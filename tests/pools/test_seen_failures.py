"""
Kinds of errors of tasks: what is kept of them.
"""

from __future__ import annotations

import weakref

from duck_jupyter.pools.meter_reading import Kind, Reading
from duck_jupyter.pools.seen_failures import Failures
from duck_jupyter.pools.seen_state import SeenPool, SeenRun
from duck_jupyter.stats.error_log import PIDS_KEPT

RUN = SeenRun(1, SeenPool(1, weakref.ref(Failures), seen=True), "score", "__main__")


def reading(number: int, times: int) -> Reading:
    """
    Give what a worker has counted: one kind of error, so many times.
    """
    kind = Kind(RUN.number, times, 0.0, 0.0, "7", "ValueError", "no")
    times_of = dict.fromkeys(
        ("started", "ready", "arrived", "first", "since", "waited_at"), 0.0
    )
    return Reading(
        id=number,
        pool=1,
        hand=0,
        left=0,
        arguments="",
        cells={},
        kinds=[kind],
        longs=[],
        past=(0, 0, 0.0, 0.0),
        **times_of,
    )


def test_what_a_worker_has_counted_is_added_once() -> None:
    failures = Failures()
    for times in (2, 2, 5):
        failures.read(reading(7, times), 100, {1: RUN})
    (row,) = failures.rows()
    assert (row.count, row.pids, row.object) == (5, (100,), "score")


def test_a_run_that_is_over_leaves_its_row_and_no_counts() -> None:
    failures = Failures()
    failures.read(reading(7, 2), 100, {1: RUN})
    failures.forget(1)
    assert failures._counts == {}
    # Its worker lives, and still has its counts.
    failures.read(reading(7, 2), 100, {})
    assert [row.count for row in failures.rows()] == [2]


def test_the_newest_processes_of_a_kind_are_kept() -> None:
    failures = Failures()
    for pid in range(PIDS_KEPT + 5):
        failures.read(reading(pid + 1, 1), pid, {1: RUN})
    (row,) = failures.rows()
    assert row.pids == tuple(range(5, PIDS_KEPT + 5))
    assert row.count == PIDS_KEPT + 5
