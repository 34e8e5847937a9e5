"""
Shares add up to the time of the workers, and each moment is in one of them.
"""

from __future__ import annotations

import pytest

from duck_jupyter.pools.meter_layout import BUCKETS, bucket_of
from duck_jupyter.stats.shares import Life, Window, median_of, spent_by

LIFE = Life(
    started=10.0,
    ready=11.0,
    arrived=11.5,
    first=12.0,
    ended=None,
    computing=5.0,
    waiting=1.0,
    last=19.0,
    is_at_work=False,
    others=(),
)


def test_a_worker_that_starts_works_and_has_nothing_left() -> None:
    spent = spent_by([LIFE], Window(10.0, 20.0, 18.0))
    # Starting: 10 to 11 and 11.5 to 12. After 19 nothing was left.
    assert spent.starting == 1.5
    assert (spent.computing, spent.waiting) == (5.0, 1.0)
    assert spent.no_task_empty == 1.0
    assert spent.no_task_queued == pytest.approx(1.5)
    assert spent.in_all == pytest.approx(10.0)


def test_a_worker_at_work_has_not_run_out_of_tasks() -> None:
    spent = spent_by([LIFE._replace(is_at_work=True)], Window(10.0, 20.0, 12.0))
    assert spent.no_task_empty == 0.0


def test_a_worker_that_never_gets_a_task_is_starting_and_then_idle() -> None:
    life = LIFE._replace(arrived=0.0, first=0.0, computing=0.0, waiting=0.0, last=0.0)
    spent = spent_by([life], Window(10.0, 20.0, 15.0))
    assert (spent.starting, spent.no_task_queued, spent.no_task_empty) == (1, 4, 5)
    life = life._replace(ready=0.0)
    assert spent_by([life], Window(10.0, 20.0, 15.0)).starting == 10


def test_time_before_the_run_and_after_the_end_of_a_worker_does_not_count() -> None:
    spent = spent_by([LIFE._replace(ended=16.0)], Window(11.75, 20.0, 18.0))
    assert spent.starting == 0.25
    assert spent.in_all == pytest.approx(6.0 + 0.25)


def test_the_tasks_of_another_run_are_neither_idle_nor_this_runs() -> None:
    life = LIFE._replace(others=((2.0, 12.0, 16.0),), last=20.0)
    spent = spent_by([life], Window(10.0, 20.0, 20.0))
    assert spent.computing == 5.0
    assert spent.in_all == pytest.approx(8.0)


def test_a_worker_of_another_time_has_no_share() -> None:
    life = LIFE._replace(computing=0.0, waiting=0.0)
    assert spent_by([life], Window(1.0, 5.0, 5.0)).in_all == 0.0


@pytest.mark.parametrize("seconds", [2e-6, 0.00013, 0.131, 2.4, 100.0])
def test_a_median_is_within_a_quarter_of_a_doubling(seconds: float) -> None:
    buckets = [0] * BUCKETS
    buckets[bucket_of(seconds)] = 9
    found = median_of(buckets)
    assert found is not None
    assert found == pytest.approx(seconds, rel=0.19)
    assert median_of([0] * BUCKETS) is None


def test_every_duration_has_a_bucket() -> None:
    assert bucket_of(0.0) == bucket_of(-1.0) == 0
    assert bucket_of(1e9) == BUCKETS - 1
