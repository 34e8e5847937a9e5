"""
The table: one row for each measure, in text or as JSON.
"""

from __future__ import annotations

import json
from typing import NamedTuple

__all__ = ["Row", "as_json", "as_text", "beside", "not_above", "not_below", "within"]

HEAD = ("measure", "ours", "peer", "ratio", "to reach", "holds")


class Row(NamedTuple):
    """
    One measure.
    """

    measure: str
    unit: str
    #: None where it could not be measured yet.
    ours: float | None
    peer: float | None = None
    to_reach: str = ""
    #: None where nothing is promised.
    holds: bool | None = None

    @property
    def ratio(self) -> float | None:
        """
        Ours divided by the peer's.
        """
        return self.ours / self.peer if self.ours is not None and self.peer else None

    def cells(self) -> tuple[str, ...]:
        """
        Give the row as texts.
        """
        holds = {True: "yes", False: "NO", None: "-"}[self.holds]
        return (
            f"{self.measure}, {self.unit}",
            "-" if self.ours is None else number(self.ours),
            "-" if self.peer is None else number(self.peer),
            fraction(self.ratio),
            self.to_reach or "-",
            holds,
        )


def beside(measure: str, unit: str, ours: float, peer: float, parts: int) -> Row:
    """
    Make the row of a measure that is to be a part of the peer's at most.
    """
    reach = f"at most 1/{parts}" if parts > 1 else "at most the peer's"
    return Row(measure, unit, ours, peer, reach, ours * parts <= peer)


def within(measure: str, unit: str, ours: float, peer: float, times: float) -> Row:
    """
    Make the row of a measure that is to take so many times the peer's at most.
    """
    reach = f"at most 1/{1 / times:g}" if times < 1 else f"at most {times:g} times"
    return Row(measure, unit, ours, peer, reach, ours <= peer * times)


def not_above(measure: str, unit: str, ours: float, most: float) -> Row:
    """
    Make the row of a measure that is to stay under a bound.
    """
    return Row(measure, unit, ours, None, f"at most {most:g}", ours <= most)


def not_below(measure: str, unit: str, ours: float, peer: float, times: float) -> Row:
    """
    Make the row of a measure that is to be so many times the peer's at least.
    """
    reach = f"at least 1/{1 / times:g}" if times < 1 else f"at least {times:g} times"
    return Row(measure, unit, ours, peer, reach, ours >= peer * times)


def number(value: float) -> str:
    """
    Write a number with three digits that count, or more where it is large.
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{places}f}"


def fraction(ratio: float | None) -> str:
    """
    Write a ratio as people say it.
    """
    if not ratio:
        return "-"
    times = max(ratio, 1 / ratio)
    # Some bounds are 1 time and a few percent.
    text = f"{times:.2f}" if times < 2 else f"{times:.1f}"
    return f"1/{text}" if ratio < 1 else f"{text} times"


def as_text(rows: list[Row], machine: str) -> str:
    """
    Lay the table out in columns, the machine below it.
    """
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    texts = [
        "  ".join(
            cell.rjust(width) if 0 < i < 4 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([*texts, "", machine]) + "\n"


def as_json(rows: list[Row], machine: str) -> str:
    """
    Give the table for programs.
    """
    found = [row._asdict() | {"ratio": row.ratio} for row in rows]
    return json.dumps({"machine": machine, "rows": found}, indent=2) + "\n"
