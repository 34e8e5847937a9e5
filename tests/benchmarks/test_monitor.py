"""
The monitor's benchmark runs and says everything; the numbers are the machine's.
"""

from __future__ import annotations

import pytest

from .command import quick_run

DEADLINE_S = 55.0
MEASURES = [
    "monitor's threads, 2 clients",
    "the same threads, nobody looks, 2 clients",
    "monitor's cost, 2 clients",
    "the same, nobody looks either time, 2 clients",
    "from a call to its tick, a cell running, p95",
    "one look, 50 objects and 3 workers: p50",
    "one look, 50 objects and 3 workers: longest",
]


@pytest.mark.slow
def test_a_quick_run_has_every_row() -> None:
    found = quick_run("monitor", DEADLINE_S)
    assert [row["measure"] for row in found["rows"]] == MEASURES
    assert all(row["ours"] is not None for row in found["rows"])
