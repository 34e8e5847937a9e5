"""
Many rounds, each in a process of its own, until the time is over.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.processes import ROOT

from .plans import KINDS
from .round import END_S
from .totals import Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Size", "run_campaign"]

#: Seconds that a round may take beyond its own end.
GRACE_S = 30.0
#: Two of each kind that signals disturb, for one of a crowd.
ORDER = (
    KINDS[0],
    KINDS[1],
    "kills",
    "nested",
    "crowd",
    KINDS[1],
    KINDS[0],
    "nested",
    "kills",
)
SEEDS = 2**32


@dataclass(frozen=True)
class Size:
    """
    How much is tried.
    """

    #: No round begins after so many seconds.
    seconds: float
    #: How long the workers of a round work, in seconds.
    round_s: float
    quick: bool = False


def run_campaign(
    size: Size, seed: int, say: Callable[[str], None]
) -> dict[str, Totals]:
    """
    Run rounds of all kinds in turn, each of them once at least.

    Args:
        size: How much is tried.
        seed: What the seeds of the rounds come from.
        say: Told of each round that failed, and how to repeat it.

    Returns:
        The counts by the kind of round.
    """
    found = {kind: Totals() for kind in KINDS}
    end = time.monotonic() + size.seconds
    seeds = random.Random(seed)
    for kind in _kinds():
        is_first = not found[kind].rounds
        if time.monotonic() >= end and not is_first:
            return found
        totals = run_alone(kind, seeds.randrange(SEEDS), size.round_s, size.quick, say)
        found[kind].add(totals)
    raise AssertionError("the kinds have no end")


def _kinds() -> Iterator[str]:
    while True:
        yield from ORDER


def run_alone(
    kind: str, seed: int, seconds: float, quick: bool, say: Callable[[str], None]
) -> Totals:
    """
    Run a round in a process of its own, which is ended if it does not end.
    """
    words = ["--round", kind, "--seed", str(seed), "--seconds", f"{seconds:g}"]
    if quick:
        words.append("--quick")
    command = [sys.executable, "-m", "tests.reliability", *words]
    with tempfile.TemporaryDirectory(prefix="r-") as folder:
        process = subprocess.Popen(
            [*command, "--json"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=seconds + END_S + GRACE_S)
        except subprocess.TimeoutExpired:
            kill_group(process.pid)
            out, err = process.communicate()
        finally:
            # Workers of a round that has crashed would go on for ever.
            kill_group(process.pid)
            process.wait()
        left = [path.name for path in Path(folder).iterdir()]
    totals = _read(out, err, left)
    if totals.failures:
        counts = ", ".join(f"{name} {n}" for name, n in totals.failures.items())
        repeat = " ".join(repr(x) if " " in x else x for x in command[1:])
        say("\n".join([f"{kind}: {counts}", f"repeat: python {repeat}", *totals.notes]))
    return totals


def kill_group(leader: int) -> None:
    """
    End a process and all that it has started.
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _read(out: str, err: str, left: list[str]) -> Totals:
    """
    Read what a round printed.
    """
    try:
        totals = Totals.from_dict(json.loads(out))
    except ValueError:
        totals = Totals(rounds=1, hung=1)
        totals.note(f"the round did not end well:\n{err[-8000:]}")
        return totals
    if left:
        totals.blocks_left += len(left)
        totals.note(f"left in the folder for temporary files: {left}")
    return totals
