"""
The benchmark of many clients runs and says everything.

What the numbers are is not tested: they follow the machine and what else runs on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.processes import ROOT

from .command import quick_run
from .contention import QUICK, measure_against
from .table import Row, not_below, within
from .versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEADLINE_S = 55.0
CROWD = "64 workers x 4 threads, 1 s"
MEASURES = [
    "attribute read, p50, 1 client: before",
    "method call add(1, 2), p50, 1 client: before",
    "attribute read, p50, 4 clients: before",
    "method call add(1, 2), p50, 4 clients: before",
    "answer of 100 kB, p50: before",
    "answer of 1 MB, p50: before",
    "answer of 100 MB, p50: before",
    "locked, 2 threads: Manager's Lock",
    "locked, 16 threads: Manager's Lock",
    "locked, 64 threads: Manager's Lock",
    "locked, 128 threads: Manager's Lock",
    "fewest blocks of a thread, 128 threads: the most",
    f"{CROWD}: call, p99.9",
    f"{CROWD}: longest call",
    f"{CROWD}: calls in all",
    f"{CROWD}: fewest of a worker: mean",
    "first call of a fresh worker",
    "first call of a fresh worker, with unpickling",
]


@pytest.fixture
def ours() -> Iterator[Version]:
    with Version(ROOT) as version:
        yield version


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_quick_run_has_every_row() -> None:
    found = quick_run("contention", DEADLINE_S, "--before", str(ROOT))
    assert " cores, " in found["machine"]
    assert [row["measure"] for row in found["rows"]] == MEASURES
    assert all(row["ours"] is not None for row in found["rows"])


@pytest.mark.slow
def test_the_table_says_that_no_version_before_was_given(ours: Version) -> None:
    (row,) = measure_against(None, ours, QUICK)
    assert "no version before was given" in row.measure
    assert row.ours is None


@pytest.mark.slow
def test_a_job_that_fails_says_why(ours: Version) -> None:
    with pytest.raises(RuntimeError, match="Traceback"):
        ours.run("no_such_job")


@pytest.mark.slow
def test_a_version_must_be_a_checkout(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="must be a checkout"):
        Version(tmp_path)


def test_a_bound_may_be_a_part_of_the_peer() -> None:
    row = not_below("blocks", "blocks", 50.0, 100.0, 0.5)
    assert row.holds
    assert row.to_reach == "at least 1/2"
    assert not not_below("blocks", "blocks", 49.0, 100.0, 0.5).holds
    row = within("tasks", "us", 80.0, 100.0, 1 / 1.2)
    assert row.holds
    assert row.to_reach == "at most 1/1.2"


@pytest.mark.parametrize(
    ("ours", "text"), [(104.0, "1.04 times"), (96.0, "1/1.04"), (250.0, "2.5 times")]
)
def test_a_ratio_near_one_has_two_places(ours: float, text: str) -> None:
    assert Row("read", "us", ours, 100.0).cells()[3] == text
