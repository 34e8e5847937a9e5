"""
What a run of one operation covered and found, in words.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .steps import Step

#: How many kinds of wrong steps are shown, and how many lines are counted.
SHOWN = 8
LINES = 10


@dataclass
class Wrong:
    """
    A step at which something went wrong.
    """

    step: Step
    faults: list[str]
    chain: list[str]

    @property
    def kind(self) -> tuple[str, str]:
        """
        What is the same for steps of one line with the same faults.
        """
        return self.step.place, re.sub(r"\d+", "#", "\n".join(self.faults))


def show(group: list[Wrong]) -> list[str]:
    """
    Describe steps of one kind by the first of them.
    """
    first = group[0]
    more = f" (and {len(group) - 1} more of this line)" if len(group) > 1 else ""
    lines = [f"at {first.step}{more}", *(f"  - {fault}" for fault in first.faults)]
    if first.chain:
        lines.append(f"  via {' > '.join(first.chain)}")
    return [f"    {line}" for line in lines]


@dataclass
class Report:
    """
    One operation in one mode.

    Attributes:
        operation: The operation.
        mode: What was done at each step.
        found: How many steps the operation has.
        chosen: How many of them were to be covered.
        covered: How many were.
        unreached: The steps that no run came to.
        wrong: The steps at which something went wrong.
        general: What is wrong after all steps.
        stopped: Why the run did not go on to the end.
        seconds: How long it took.
    """

    operation: str
    mode: str
    found: int = 0
    chosen: int = 0
    covered: int = 0
    unreached: list[Step] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    general: list[str] = field(default_factory=list)
    stopped: str = ""
    seconds: float = 0.0

    @property
    def is_right(self) -> bool:
        """
        Nothing went wrong.
        """
        return not (self.wrong or self.general or self.stopped)

    @property
    def row(self) -> str:
        """
        The report as a line of a table.
        """
        at_signals = sum(one.step.signals for one in self.wrong)
        verdict = "right" if self.is_right else "wrong at the end"
        if self.wrong:
            count = len(self.wrong)
            verdict = f"{count} wrong ({at_signals} where signal handlers run)"
        return (
            f"{self.operation:18} {self.mode:8}"
            f"{self.covered:5} of {self.found:5} steps, "
            f"{len(self.unreached):3} not reached, {self.seconds:5.1f} s: "
            f"{verdict}{'; ' if self.stopped else ''}{self.stopped}"
        )

    def demand_right(self, choice: str) -> None:
        """
        Let the test fail if anything went wrong, with the whole report.
        """
        if not self.is_right:
            pytest.fail(self.explain(choice), pytrace=False)

    def explain(self, choice: str) -> str:
        """
        Give the whole report.

        Args:
            choice: Which steps were chosen.
        """
        lines = [self.row, f"  ({choice}; DUCK_STEPS=FILE:LINE repeats one line)"]
        lines += [f"  after all steps: {fault}" for fault in self.general]
        if self.wrong:
            lines.append("  the lines with most wrong steps:")
            places = Counter(
                f"{one.step.place} {one.step.function}()" for one in self.wrong
            )
            lines += [f"    {count:4} {at}" for at, count in places.most_common(LINES)]
            kinds: dict[tuple[str, str], list[Wrong]] = {}
            for one in self.wrong:
                kinds.setdefault(one.kind, []).append(one)
            lines.append(f"  what went wrong ({len(kinds)} kinds):")
            for group in list(kinds.values())[:SHOWN]:
                lines += show(group)
        return "\n".join(lines)
