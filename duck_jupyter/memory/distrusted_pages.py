"""
Suspects: pages that are watched and have to be compared all the same.
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

#: From so many on, those that touch are taken for one.
MANY_SUSPECTS = 1000


class Suspect(NamedTuple):
    """
    Pages that are to be compared.
    """

    pages: PageRange
    #: A time at which they were protected, in seconds of the monotonic clock; infinity
    #: while that is not sure.
    since: float = math.inf


class Watch:
    """
    Pages that are watched, since they were registered.
    """

    def __init__(self, ranges: list[PageRange], threads: str) -> None:
        self.ranges = ranges
        self.size: int = sum(pages.end - pages.start for pages in ranges)
        self.suspects: list[Suspect] = [Suspect(pages) for pages in ranges]
        self._reads = ReadsUnderWay(ranges, threads)
        #: Reads into the pages that began before this time have ended.
        self._quiet_from = -math.inf
        #: How often it answered.
        self.answers = 0

    def overlaps(self, ranges: Iterable[PageRange]) -> bool:
        """
        Return whether it watches any of these pages.
        """
        return any(own.overlaps(new) for own in self.ranges for new in ranges)

    @property
    def is_dated(self) -> bool:
        """
        Of all suspects it is known when they were protected.
        """
        return all(suspect.since < math.inf for suspect in self.suspects)

    def look(self) -> None:
        """
        Look which reads have ended. All suspects have to be protected by now.

        Raises:
            OSError: The system does not tell.
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
        Suspect no longer what was protected when all reads were seen to have ended.
        """
        self.suspects = [
            suspect for suspect in self.suspects if suspect.since > self._quiet_from
        ]
