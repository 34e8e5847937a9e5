"""
The benchmark of clusters runs and says everything.

What the numbers are is not tested: they follow the machine and what else runs on it.
"""

from __future__ import annotations

import pytest

from tests.support.hosts import ONLY_ROOT

from .command import quick_run

DEADLINE_S = 110.0
LIVE = [
    "live call, {}, direct, p50: actor",
    "live call, {}, relayed, p50: actor",
    "8 threads on 2 workers, {}: actor",
    "live call, {}, first one, nobody answers directly",
]
MEASURES = [
    *(measure.format("plain TCP") for measure in LIVE),
    *(measure.format("TLS") for measure in LIVE),
    "8 tasks, 20 MB, this host, first: scatter",
    "8 tasks, 20 MB, this host, again: scatter",
    "memory (PSS) of its 2 workers: scatter",
    "2 MB to 4 hosts, 400 Mbit/s links: scatter",
]


@pytest.mark.slow
@pytest.mark.timeout(DEADLINE_S + 10)
@ONLY_ROOT
def test_a_quick_run_has_every_row() -> None:
    found = quick_run("cluster", DEADLINE_S)
    assert " cores, " in found["machine"]
    assert [row["measure"] for row in found["rows"]] == MEASURES
    assert all(row["ours"] for row in found["rows"])
