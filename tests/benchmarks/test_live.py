"""
The benchmark runs and says everything.

What the numbers are is not tested: they follow the machine and what else runs on it.
"""

from __future__ import annotations

import json

import pytest

from .command import quick_run
from .table import Row, as_json, as_text, beside, not_above, not_below

DEADLINE_S = 45.0
MEASURES = [
    "attribute read, p50",
    "method call add(1, 2), p50",
    "attribute read, p99",
    "method call add(1, 2), p99",
    "calls in all, 4 clients",
    "for x in proxy, list of 2,000 ints",
    "idle server, 8 idle workers",
    "kernel computing, 100 reads/s: read, p50",
    "kernel computing, 100 reads/s: the loop slower by",
    "one more, 500 objects shared",
    "500 objects shared: open files",
    "counters' cost, 1 client",
    "counters' cost, 2 clients",
    "%load_ext duck_jupyter",
    "first read of a fresh worker",
    "first call of a fresh worker",
    "first call of a fresh worker, with unpickling",
]


@pytest.mark.slow
def test_a_quick_run_has_every_row() -> None:
    found = quick_run("live", DEADLINE_S)
    assert " cores, " in found["machine"]
    assert [row["measure"] for row in found["rows"]] == MEASURES


def test_a_row_says_whether_it_holds() -> None:
    assert beside("read", "us", 4.0, 48.0, 12).holds
    assert not beside("read", "us", 4.1, 48.0, 12).holds
    assert not_above("idle", "%", 0.5, 0.5).holds
    assert not not_above("idle", "%", 0.6, 0.5).holds
    assert not_below("calls", "calls/s", 400.0, 100.0, 4).holds
    assert not not_below("calls", "calls/s", 399.0, 100.0, 4).holds


def test_a_table_has_its_columns_under_each_other() -> None:
    rows = [beside("read", "us", 4.0, 60.0, 12), Row("load", "ms", None)]
    assert as_text(rows, "a machine").splitlines() == [
        "measure   ours  peer   ratio  to reach      holds",
        "--------  ----  ----  ------  ------------  -----",
        "read, us  4.00  60.0  1/15.0  at most 1/12  yes",
        "load, ms     -     -       -  -             -",
        "",
        "a machine",
    ]


def test_a_program_gets_the_ratio_as_well() -> None:
    (row,) = json.loads(as_json([beside("read", "us", 4.0, 60.0, 12)], ""))["rows"]
    assert row["ratio"] == pytest.approx(1 / 15)
