"""
Which steps leave descriptors, blocks or threads behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .census import count_descriptors, growth, is_bounded, take_census

if TYPE_CHECKING:
    from collections import Counter

    from .steps import Step

#: After so many steps everything that is made once has been made.
WARM_STEPS = 5
#: So many are repeated.
MOST_SUSPECTS = 20


class Leaks:
    """
    What the owner and the worker hold after each step.
    """

    def __init__(self) -> None:
        #: What the owner held when everything was made that is made once.
        self.owner: Counter[str] | None = None
        #: The steps after which there was more, and never less.
        self.suspects: list[Step] = []
        self._first: Counter[str] | None = None
        self._last: Counter[str] | None = None
        self._totals: list[tuple[Step, int]] = []

    def note(self, step: Step, worker: Counter[str]) -> None:
        """
        Note what is held after a step that went well.
        """
        here = count_descriptors().total()
        self._totals.append((step, here + worker.total()))
        if len(self._totals) < WARM_STEPS:
            return
        self.owner = self.owner or take_census()
        self._first = self._first or worker
        self._last = worker

    def new_worker(self) -> list[str]:
        """
        Judge the worker that was, and begin anew with another.

        Returns:
            What it held more in the end.
        """
        self._suspect()
        first, last = self._first, self._last
        self._first = self._last = None
        self._totals.clear()
        if not first or not last or is_bounded(more := growth(first, last)):
            return []
        return [f"the worker holds more than in the beginning: {more}"]

    def _suspect(self) -> None:
        lowest = float("inf")
        rises = []
        for (_, before), (step, now) in zip(
            self._totals[-2::-1], self._totals[:0:-1], strict=False
        ):
            lowest = min(lowest, now)
            if before < lowest:
                rises.append(step)
        warm = {step for step, _ in self._totals[:WARM_STEPS]}
        found = [step for step in reversed(rises) if step not in warm]
        self.suspects += found[: MOST_SUSPECTS - len(self.suspects)]
