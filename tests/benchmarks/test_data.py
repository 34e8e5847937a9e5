"""
The benchmark of data runs and says everything.

What the numbers are is not tested: they follow the machine and what else runs on it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import ROOT

from .table import within

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE_S = 100.0
TASKS = [
    f"4 tasks, 4 MB, {method}, {when}: {peer}"
    for method in ("fork", "spawn")
    for when in ("first", "after that", "later", "frozen")
    for peer in ("pickling", "joblib")
]
FETCHES = [
    f"fetch {size}{frozen}{state}"
    for size in ("8 MB", "1 MB")
    for frozen in ("", ", frozen")
    for state in (", just published", "", ", mapped already")
]
MEASURES = [
    *TASKS,
    *FETCHES,
    "publish 8 MB first",
    "publish 8 MB again, all changed",
    "publish 8 MB again, one number changed",
    "publish 8 MB again, a worker maps it",
    "hand over 8 MB unchanged, just published",
    "hand over 8 MB unchanged for some time",
    "hand over 8 MB, frozen",
    "write to 8 MB after that, beside unshared",
    "summed PSS, 2 workers, frame of 0.008 GB: pickling",
    "summed PSS, 2 workers, frame of 0.008 GB: joblib",
    "a handle, 1 column",
    "a handle, 10 columns",
    "a handle, 100 columns",
]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_quick_run_has_every_row(tmp_path: Path) -> None:
    """
    Ray has rows of its own, or one that says it is not there.
    """
    file = tmp_path / "rows.json"
    command = [sys.executable, "-m", "tests.benchmarks.data", "--quick", "--json"]
    done = subprocess.run(
        [*command, str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    assert " cores, " in found["machine"]
    names = [row["measure"] for row in found["rows"]]
    assert [name for name in names if "Ray" not in name] == MEASURES
    assert any("Ray" in name for name in names)
    assert all(name in done.stdout for name in names)


def test_a_peer_may_be_passed_by_so_much_and_no_more() -> None:
    assert within("publish", "ms", 15.0, 10.0, 1.5).holds
    assert not within("publish", "ms", 15.1, 10.0, 1.5).holds
