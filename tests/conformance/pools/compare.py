"""
Run a suite without and with the extension, and compare how each test ends.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..running import run_to_end

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from ..runner import Outcome
    from .suites import PoolSuite

__all__ = ["KNOWN", "Compared", "as_markdown", "compare", "is_known", "read_known"]

#: Seconds that one test may take; some of loky's wait for a minute.
DEADLINE_S = 120.0
#: How often a test that differs is run again: some fail now and then by themselves.
AGAIN = 3
KNOWN = Path(__file__).with_name("known.txt")
RUNNER = str(Path(__file__).with_name("runner.py"))
HEADS = ("suite", "tests", "pass without", "pass with", "known", "differ")


@dataclass(frozen=True)
class Compared:
    """
    How the tests of a suite ended.

    Args:
        name: The suite.
        without: How they ended without the extension, by name.
        loaded: The same with the extension.
    """

    name: str
    without: dict[str, Outcome]
    loaded: dict[str, Outcome]

    def differing(self) -> list[str]:
        """
        List the tests that end otherwise with the extension, or are missing once.
        """
        names = {**self.without, **self.loaded}
        nothing = ("missing", "")
        return [
            name
            for name in names
            if self.without.get(name, nothing)[0] != self.loaded.get(name, nothing)[0]
        ]

    def tell(self, name: str) -> str:
        """
        Say how a test ended, in one line.
        """
        ends = [
            f"{how} ({' '.join(text.split())[:300]})" if text else how
            for how, text in (
                found.get(name, ("missing", ""))
                for found in (self.without, self.loaded)
            )
        ]
        return f"{self.name}: {name} without: {ends[0]}; with: {ends[1]}"


def compare(
    suite: PoolSuite,
    *,
    is_quick: bool,
    say: Callable[[str], None],
    known: Collection[str] = (),
) -> Compared:
    """
    Run a suite twice. What differs is run again both ways, and may agree then.

    Args:
        suite: The suite.
        is_quick: Only what CI runs.
        say: Told what the tests' processes print to their error output.
        known: The tests that are known to differ. They are run last: one that fails
            may leave its pool open, and then others find processes.
    """
    last = ["--last", json.dumps([*known])]
    with tempfile.TemporaryDirectory(prefix="p-") as made:
        folder = suite.unpack(Path(made))
        words = suite.words(folder, is_quick=is_quick)

        def run(*more: str) -> dict[str, Outcome]:
            def command(pipe: str, skip: str) -> list[str]:
                return [RUNNER, pipe, "--skip", skip, *last, *more, *words]

            return run_to_end(suite.name, command, folder, DEADLINE_S, say)

        found = Compared(suite.name, run(), run("--load"))
        for _ in range(AGAIN):
            names = found.differing()
            if not names:
                break
            only = ["--only", json.dumps(names)]
            again = Compared(suite.name, run(*only), run("--load", *only))
            agreeing = {*names} - {*again.differing()}
            for name in agreeing & again.without.keys():
                found.without[name] = again.without[name]
                found.loaded[name] = again.loaded[name]
        return found


def read_known(text: str) -> frozenset[str]:
    """
    Read which tests, by the name of their function, are known to differ.
    """
    lines = (line.strip() for line in text.splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))


def is_known(name: str, known: frozenset[str]) -> bool:
    """
    Tell whether a test is known to differ.
    """
    return name.rpartition("::")[2].partition("[")[0] in known


def as_markdown(found: Iterable[Compared], known: frozenset[str]) -> str:
    """
    Give the table.
    """
    rows: list[tuple[str, ...]] = [HEADS, ("---", *["--:"] * (len(HEADS) - 1))]
    for one in found:
        differing = one.differing()
        listed = sum(is_known(name, known) for name in differing)
        passed = [
            sum(how == "passed" for how, _ in ended.values())
            for ended in (one.without, one.loaded)
        ]
        numbers = (len(one.without), *passed, listed, len(differing) - listed)
        rows.append((one.name, *(f"{number:,}" for number in numbers)))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
