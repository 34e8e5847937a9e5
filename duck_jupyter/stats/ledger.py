"""
Ledger: counts by object as they were when somebody last looked, and their sum.

Of a thousand objects few are called between two looks of a monitor. To find those, and
to add only what they have gained, takes a tenth of adding all of them up again.
"""

from __future__ import annotations

from operator import add, itemgetter, sub
from typing import TYPE_CHECKING, NamedTuple

from .counts import SIZES, fresh_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Changes", "Ledger"]


class Changes(NamedTuple):
    """
    What is not as it was.
    """

    #: The numbers of objects whose counts changed, came or went.
    numbers: set[int]
    #: Some came or went.
    others: bool


class Ledger:
    """
    Copies of lists of counts that others add to. One thread at a time may use it.
    """

    def __init__(self) -> None:
        #: By the object's number.
        self.counts: dict[int, list[int]] = {}
        #: Of all; of the sizes, the largest.
        self.sum: list[int] = fresh_counts()

    def follow(self, current: Mapping[int, list[int]]) -> Changes:
        """
        Take over what has changed.

        Args:
            current: The counts as they are, none of which may come or go meanwhile.
        """
        known = self.counts
        changed = {n for n, counts in current.items() if known.get(n) != counts}
        # Copied at once, since calls that are being answered go on adding.
        news = {number: list(current[number]) for number in changed}
        olds = [known[number] for number in changed if number in known]
        others = len(olds) < len(news)
        known.update(news)
        if len(known) > len(current):
            others = True
            gone = known.keys() - current.keys()
            olds += [known.pop(number) for number in gone]
            changed |= gone
        if changed:
            total = map(sub, _columns(news.values()), _columns(olds))
            self.sum = list(map(add, self.sum, total))
            for size in SIZES:
                self.sum[size] = max(map(itemgetter(size), known.values()), default=0)
        return Changes(changed, others)


def _columns(rows: Iterable[list[int]]) -> Iterable[int]:
    return map(sum, zip(fresh_counts(), *rows, strict=True))
