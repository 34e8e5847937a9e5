"""
Which steps a run covers: all of small operations, a rotating tenth of large ones.

The environment variable DUCK_STEPS chooses: ``all``; a number, which says which tenth;
or ``FILE:LINE``, which takes the steps of one line only, as a failure quotes it.
Without it the tenth follows the date, so that ten days cover everything.
"""

from __future__ import annotations

import datetime
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .steps import Step

VARIABLE = "DUCK_STEPS"
PARTS = 10
#: Seconds that a test may take; it takes 20 of them, or half an hour with all steps.
LIMIT_S = 3600 if os.environ.get(VARIABLE) == "all" else 180
#: So many wrong steps end the run of an operation, and so many that hang.
WRONG_OF_SOME, WRONG_OF_ALL = 12, 2_000
HANGING_OF_SOME, HANGING_OF_ALL = 3, 30


class Choice(NamedTuple):
    """
    The steps that a run covers.
    """

    everything: bool
    seed: int
    place: str

    def pick(self, steps: Sequence[Step], *, large: bool) -> list[Step]:
        """
        Choose from the steps of an operation.

        Args:
            steps: All of them, in the order of their execution.
            large: There are too many of them for every run.
        """
        if self.place:
            return [step for step in steps if step.place == self.place]
        if self.everything or not large:
            return list(steps)
        return list(steps[self.seed % PARTS :: PARTS])

    @property
    def most_wrong(self) -> int:
        """
        So many wrong steps end the run of an operation.
        """
        return WRONG_OF_ALL if self.everything else WRONG_OF_SOME

    @property
    def most_hanging(self) -> int:
        """
        So many steps that hang end the run of an operation: each takes seconds.
        """
        return HANGING_OF_ALL if self.everything else HANGING_OF_SOME

    def __str__(self) -> str:
        if self.place:
            return f"the steps of {self.place}"
        if self.everything:
            return "all steps"
        return (
            f"all steps of small operations, tenth {self.seed % PARTS} of large ones; "
            f"{VARIABLE}={self.seed} repeats that, {VARIABLE}=all runs all"
        )


def read_choice() -> Choice:
    """
    Give what the environment asks for.

    Raises:
        ValueError: The variable is none of the three.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return Choice(
            everything=False, seed=datetime.date.today().toordinal(), place=""
        )
    if text == "all":
        return Choice(everything=True, seed=0, place="")
    if text.isdecimal():
        return Choice(everything=False, seed=int(text), place="")
    file, colon, line = text.rpartition(":")
    if not (file and colon and line.isdecimal()):
        raise ValueError(
            f"{VARIABLE} must be all, a number or FILE:LINE, not {text!r}."
        )
    return Choice(everything=False, seed=0, place=text)
