"""
The monitor's benchmark runs and says everything; the numbers are the machine's.
"""

from __future__ import annotations

import pytest

from .command import quick_run

DEADLINE_S = 55.0
MEASURES = [
    "monitor's cost, 1 client that reads",
    "its standard error, 1 client that reads",
    "the same without a picture, 1 client that reads",
    "monitor's cost, 2 clients whose calls compute",
    "its standard error, 2 clients whose calls compute",
    "the same without a picture, 2 clients whose calls compute",
    "monitor's threads, 2 clients that read",
    "the same threads, nobody looks, 2 clients that read",
    "from a call to its tick, a cell running, p95",
    "one look, 50 objects, 3 workers, 10 of them called",
    "from picture to picture, 50 objects, 3 workers, 10 of them called",
    "one look, 50 objects, 3 workers, all called",
    "from picture to picture, 50 objects, 3 workers, all called",
]


@pytest.mark.slow
def test_a_quick_run_has_every_row() -> None:
    found = quick_run("monitor", DEADLINE_S)
    assert [row["measure"] for row in found["rows"]] == MEASURES
    assert all(row["ours"] is not None for row in found["rows"])
