"""
The benchmark of Ray runs and says everything; the numbers are the machine's.
"""

from __future__ import annotations

import pytest

from .command import quick_run

DEADLINE_S = 110.0
MEASURES = [
    "live call, a lane, p50: actor",
    "live call, a connection, p50: actor",
    "8 tasks, 20 MB, first: ray.put",
    "8 tasks, 20 MB, again: ray.put",
]


@pytest.mark.slow
@pytest.mark.timeout(DEADLINE_S + 10)
def test_a_quick_run_has_every_row() -> None:
    found = quick_run("raycluster", DEADLINE_S)
    assert [row["measure"] for row in found["rows"]] == MEASURES
    assert all(row["ours"] and row["peer"] for row in found["rows"])
