"""
The benchmark of the view runs and says everything; the numbers are the machine's.
"""

from __future__ import annotations

import json
import subprocess
import sys

from tests.support.processes import ROOT

DEADLINE_S = 120.0
WHAT = [f"per update, 50 objects, 3 workers, {width} px" for width in (1180, 360)]


def test_a_quick_run_has_every_row() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.view", "--quick", "--json"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
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
