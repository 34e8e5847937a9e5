"""
What is said about a run that is slow, by the rules, in their order.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from duck_jupyter.stats.insight import advice_for, shares_of
from duck_jupyter.stats.task_rows import Spent, WaitedOn
from tests.support.task_snapshots import runs

RUN = replace(
    runs()[0],
    spent=Spent(0.0, 10.0, 0.0, 0.0, 0.0),
    waited_on=(WaitedOn("conn.cursor()", 1.0),),
    total=4096,
    each_p50=0.0008,
)


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        (
            Spent(1.0, 6.0, 2.4, 0.6, 0.0),
            (
                "Its workers wait on conn.cursor() for a quarter of their time, one"
                " call at a time runs in the kernel. Take fewer and larger calls, "
                "or work on a copy: fetch(shared.conn)."
            ),
        ),
        (
            Spent(0.0, 8.0, 0.0, 0.0, 2.0),
            (
                "Near the end most workers had nothing left to do: the longest "
                "tasks began last. Put them first."
            ),
        ),
        (
            Spent(1.0, 7.0, 0.0, 2.0, 0.0),
            (
                "Its workers wait for tasks: most likely they are too short (800 "
                "µs) for the notebook to send them fast enough. Try chunksize=64."
            ),
        ),
        (
            Spent(2.1, 7.0, 0.4, 0.5, 0.0),
            (
                "Starting the workers took 21 % of their time. Keep the pool for "
                "several cells."
            ),
        ),
        (Spent(1.0, 8.0, 1.0, 0.0, 0.0), ""),
        (Spent(0.0, 0.0, 0.0, 0.0, 0.0), ""),
    ],
)
def test_the_first_rule_that_holds_is_said(spent: Spent, said: str) -> None:
    assert advice_for(replace(RUN, spent=spent), "Pool") == said


def test_joblib_has_another_name_for_chunks() -> None:
    run = replace(RUN, spent=Spent(0.0, 8.0, 0.0, 2.0, 0.0))
    assert "Try batch_size=64." in advice_for(run, "joblib")


def test_each_worker_keeps_a_few_chunks() -> None:
    run = replace(RUN, spent=Spent(0.0, 8.0, 0.0, 2.0, 0.0), total=100)
    assert "Try chunksize=8." in advice_for(run, "Pool")


def test_nothing_is_said_of_long_tasks_that_are_waited_for() -> None:
    spent = Spent(0.0, 8.0, 0.0, 2.0, 0.0)
    assert advice_for(replace(RUN, spent=spent, each_p50=2.0), "Pool") == ""


def test_nothing_is_said_of_a_run_that_nobody_waits_for() -> None:
    spent = Spent(5.0, 5.0, 0.0, 0.0, 0.0)
    assert advice_for(replace(RUN, spent=spent, last=RUN.first + 0.9), "Pool") == ""


def test_waiting_on_nothing_by_name() -> None:
    run = replace(RUN, spent=Spent(0, 5, 5, 0, 0), waited_on=())
    assert "wait on the kernel for half of their time" in advice_for(run, "Pool")


def test_the_shares_add_up() -> None:
    run = replace(RUN, spent=Spent(1.0, 5.0, 2.0, 0.5, 1.5))
    assert shares_of(run) == [
        ("computing", 0.5),
        ("waiting on conn.cursor()", 0.2),
        ("waiting for a task", 0.2),
        ("starting", 0.1),
    ]
