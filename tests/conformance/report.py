"""
What was found, as numbers, as a table for the docs, and as failures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .known import Known
    from .runner import Outcome
    from .suites import Suite

__all__ = ["Found", "as_markdown"]

HEADS = ("suite", "pass on objects", "pass on proxies", "per cent", "to reach")


@dataclass(frozen=True)
class Found:
    """
    How a suite ended on objects and on proxies.
    """

    suite: Suite
    on_objects: dict[str, Outcome]
    on_proxies: dict[str, Outcome]

    @property
    def lost(self) -> list[str]:
        """
        The tests that pass on objects and not on proxies.
        """
        return [name for name in self._passing if not self._passes(name)]

    @property
    def kept(self) -> list[str]:
        """
        The tests that pass on both.
        """
        return [name for name in self._passing if self._passes(name)]

    @property
    def percent(self) -> float:
        """
        How many of the tests that pass on objects pass on proxies.
        """
        return 100 * len(self.kept) / max(1, len(self._passing))

    @property
    def _passing(self) -> list[str]:
        return [name for name, (how, _) in self.on_objects.items() if how == "passed"]

    def _passes(self, name: str) -> bool:
        return self.on_proxies.get(name, ("missing", ""))[0] == "passed"

    def judge(self, known: Known) -> list[str]:
        """
        Say what is not as the list says.

        Args:
            known: The list. An entry whose test this Python does not have, or does not
                pass on objects, is left alone.

        Returns:
            A line for each difference that is not in the list, and for each entry of
            the list whose test passes now.
        """
        own = f"{self.suite.name}/"
        new = [f"NEW {self.tell(x)}" for x in self.lost if own + x not in known]
        gone = [f"PASSES NOW {own}{x}" for x in self.kept if own + x in known]
        return new + gone

    def tell(self, name: str) -> str:
        """
        Say how a test ended on proxies, in one line.
        """
        how, line = self.on_proxies.get(name, ("missing", ""))
        return f"{self.suite.name}/{name} {how}: {' '.join(line.split())[:300]}"


def as_markdown(found: Iterable[Found]) -> str:
    """
    Give the table.
    """
    rows = [
        (
            one.suite.name,
            str(len(one.kept) + len(one.lost)),
            str(len(one.kept)),
            f"{one.percent:.1f}",
            str(one.suite.to_reach),
        )
        for one in found
    ]
    widths = [max(map(len, column)) for column in zip(HEADS, *rows, strict=True)]
    marks = [
        "-" * width if index == 0 else "-" * (width - 1) + ":"
        for index, width in enumerate(widths)
    ]
    lines = [HEADS, tuple(marks), *rows]
    return "".join(
        "| "
        + " | ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |\n"
        for line in lines
    )
