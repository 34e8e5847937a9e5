"""
The benchmark of the view runs and says everything; the numbers are the machine's.
"""

from __future__ import annotations

from tests.benchmarks.command import quick_run

DEADLINE_S = 120.0
WHAT = [f"per update, 50 objects, 3 workers, {width} px" for width in (1180, 360)]


def test_a_quick_run_has_every_row() -> None:
    rows = quick_run("view", DEADLINE_S)["rows"]
    assert [row["measure"] for row in rows] == [
        name
        for what in WHAT
        for name in (
            f"script {what}: p50",
            f"script {what}: p95",
            f"style and layout {what}: p95",
        )
    ]
    assert all(row["ours"] > 0 for row in rows)
