"""
What rounds counted, and the table that is printed of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAILURES", "Totals", "as_markdown"]

#: The columns that must be zero.
FAILURES = (
    "lost",
    "doubled",
    "wrong",
    "locks_left",
    "files_touched",
    "descriptors_left",
    "blocks_left",
    "hung",
)
#: All columns, with the heads that the table has.
HEADS = {
    "rounds": "rounds",
    "kills": "kills",
    "interrupts": "interrupts",
    "acknowledged": "calls acknowledged",
    "cut": "cut",
    "unknown": "unknown",
    "lost": "lost",
    "doubled": "doubled",
    "wrong": "wrong",
    "locks_left": "locks left",
    "files_touched": "files touched",
    "descriptors_left": "descriptors left",
    "blocks_left": "blocks left",
    "hung": "hung",
}
MAX_NOTES = 12


@dataclass
class Totals:
    """
    The counts of one round, or the sum over rounds.
    """

    rounds: int = 0
    #: Workers that were ended with SIGKILL.
    kills: int = 0
    #: Exceptions that a signal handler raised in the middle of an operation.
    interrupts: int = 0
    #: Calls whose right answer arrived.
    acknowledged: int = 0
    #: Calls that an interrupt ended inside the product.
    cut: int = 0
    #: Calls of which nobody can say whether they were done: the worker was killed, or
    #: the interrupt came between the end of the call and the next line of the harness.
    unknown: int = 0
    #: Calls that were acknowledged and not done, items and changes that nobody has.
    lost: int = 0
    #: Calls that were done twice, items that two workers got.
    doubled: int = 0
    #: Answers to another call, damaged data, and errors where none belongs.
    wrong: int = 0
    #: Locks that stayed taken though no worker was inside them.
    locks_left: int = 0
    #: Files of the server's process or of a worker with bytes that it did not write.
    files_touched: int = 0
    descriptors_left: int = 0
    blocks_left: int = 0
    #: Threads of workers without progress, and rounds that did not end.
    hung: int = 0
    #: The largest 99.9th percentile of a call in a crowd, in seconds.
    p999_s: float = 0.0
    #: Calls of the slowest and the fastest worker, where these were furthest apart.
    fewest: int = 0
    most: int = 0
    #: Details of failures, for people.
    notes: list[str] = field(default_factory=list)

    @property
    def failures(self) -> dict[str, int]:
        """
        The columns that should be zero and are not.
        """
        return {name: n for name in FAILURES if (n := getattr(self, name))}

    def note(self, text: str) -> None:
        """
        Keep a detail, unless there are many already.
        """
        if len(self.notes) < MAX_NOTES:
            self.notes.append(text)

    def add(self, other: Totals) -> None:
        """
        Add the counts of another round; its notes are not kept.
        """
        for name in HEADS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.p999_s = max(self.p999_s, other.p999_s)
        if other.most * max(self.fewest, 1) >= self.most * max(other.fewest, 1):
            self.fewest, self.most = other.fewest, other.most

    def as_dict(self) -> dict[str, Any]:
        """
        Give the counts for programs.
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Totals:
        """
        Make totals of what `as_dict` gave.
        """
        names = {one.name for one in fields(cls)}
        return cls(**{name: found[name] for name in names & found.keys()})


def as_markdown(by_kind: Mapping[str, Totals]) -> str:
    """
    Lay the counts out as a Markdown table, one line a kind of round, the sum last.
    """
    total = Totals()
    for one in by_kind.values():
        total.add(one)
    rows = [["round", *HEADS.values()]]
    for name, one in [*by_kind.items(), ("all", total)]:
        rows.append([name, *(f"{getattr(one, column):,}" for column in HEADS)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        " | ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, " | ".join(rule))
    text = "".join(f"| {line} |\n" for line in lines)
    if total.most:
        text += (
            f"\nIn a crowd 99.9 % of the calls took at most {total.p999_s:.3f} s; a "
            f"worker made {total.fewest:,} to {total.most:,} calls in a round.\n"
        )
    return text
