"""
The benchmark of pools runs and says everything; the numbers are the machine's.
"""

from __future__ import annotations

import pytest

from .command import quick_run

DEADLINE_S = 55.0
MEASURES = [
    "empty tasks of a cell, spawn, to an importable one",
    "empty tasks, importable",
    "tasks of 1 ms, importable",
    "Pool.map, its own chunks",
    "joblib",
    "empty tasks of a cell, to loky",
    "executor, empty tasks seen, to unseen",
    "pool, empty tasks seen, to unseen",
    "joblib, empty tasks seen, to unseen",
    "seeing a task, in the worker",
    "seeing a task, in the kernel",
    "bytes of a task that mentions a large array",
    "the same, fork, inherited",
    "imports of ours in a worker",
]


@pytest.mark.slow
def test_a_quick_run_has_every_row() -> None:
    found = quick_run("pools", DEADLINE_S)
    assert [row["measure"] for row in found["rows"]] == MEASURES
    assert all(row["ours"] is not None for row in found["rows"])
