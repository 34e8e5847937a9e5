"""
Suspects: watched pages that must be compared nevertheless.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

from .reads_under_way import ReadsUnderWay
from .userfaultfd import merged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .userfaultfd import PageRange

__all__ = ["Suspect", "Watch"]

#: From this many suspects on, adjacent ones are merged.
MANY_SUSPECTS = 1000


class Suspect(NamedTuple):
    """
    Pages to compare.
    """

    pages: PageRange
    #: A time at which they were protected, in seconds of the monotonic clock; infinity
    #: while this is not known.
    since: float = math.inf


class Watch:
    """
    The watched pages, from their registration on.
    """

    def __init__(self, ranges: list[PageRange], threads: str) -> None:
        self.ranges = ranges
        self.size: int = sum(pages.end - pages.start for pages in ranges)
        self.suspects: list[Suspect] = [Suspect(pages) for pages in ranges]
        self._reads = ReadsUnderWay(ranges, threads)
        #: Reads into the pages that began before this time have ended.
        self._quiet_from = -math.inf
        #: How often it has answered.
        self.answers = 0

    def overlaps(self, ranges: Iterable[PageRange]) -> bool:
        """
        Return whether it watches any of these pages.
        """
        return any(own.overlaps(new) for own in self.ranges for new in ranges)

    @property
    def is_dated(self) -> bool:
        """
        Whether it is known for all suspects when they were protected.
        """
        return all(suspect.since < math.inf for suspect in self.suspects)

    def look(self) -> None:
        """
        Check which reads have ended. All suspects must be protected by now.

        Raises:
            OSError: The system does not provide this information.
        """
        if not self.suspects:
            return
        now = time.monotonic()
        self.suspects = [
            Suspect(pages, min(since, now)) for pages, since in self.suspects
        ]
        if len(self.suspects) > MANY_SUSPECTS:
            joined = merged(suspect.pages for suspect in self.suspects)
            self.suspects = [Suspect(pages, now) for pages in joined]
        newest = max(suspect.since for suspect in self.suspects)
        self._quiet_from = self._reads.look(newest)

    def clear(self) -> None:
        """
        Remove the suspects that were protected when all reads had ended.
        """
        self.suspects = [
            suspect for suspect in self.suspects if suspect.since > self._quiet_from
        ]
