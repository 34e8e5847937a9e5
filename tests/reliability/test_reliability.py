"""
Half a minute of all that the product has to stand: nothing is lost, nothing is left.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.processes import ROOT

from .plans import KINDS
from .totals import Totals

DEADLINE_S = 400.0


# It counts what it does in a time, which another test would take from it.
@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(DEADLINE_S + 20)
def test_a_quick_run_has_no_failures() -> None:
    """
    In a process of its own, for it sends signals; each round has one as well.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.reliability", "--quick", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    # 1 says that something failed, which is told better below.
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    total = Totals.from_dict(found)
    assert total.failures == {}, done.stderr
    by_kind = {kind: Totals.from_dict(one) for kind, one in found["by_kind"].items()}
    # It has tried something: less than a tenth of what a machine with one core does.
    assert set(by_kind) == set(KINDS)
    assert all(one.rounds for one in by_kind.values())
    assert by_kind["kills"].kills >= 10
    for kind in KINDS[:2]:
        assert by_kind[kind].interrupts >= 30
        assert by_kind[kind].cut >= 20
    assert all(one.acknowledged >= 100 for one in by_kind.values())
    assert by_kind["crowd"].p999_s > 0
    assert by_kind["crowd"].fewest > 0
