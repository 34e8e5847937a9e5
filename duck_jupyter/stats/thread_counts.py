"""
The counts of one client thread: a plain list for each object.

The hot path adds to the list in place. Other ways are slower: a record for each call
takes two allocations and starts the garbage collector, and a dictionary of the kinds of
calls takes a tuple and two look-ups.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .counts import LAST_BYTES, PEAK_BYTES, add_counts, difference, fresh_counts

if TYPE_CHECKING:
    from collections.abc import Container

    from .ledger import Changes, Ledger

__all__ = ["Tally"]

#: Above this number of objects, the counts of removed objects are added up.
MOST_OBJECTS = 256


class Tally:
    """
    The counts of one client thread, by object.

    Args:
        known: The numbers of objects in use.
    """

    __slots__ = ("_known", "_lock", "_most", "_taken", "by_object")

    def __init__(self, known: Container[int]) -> None:
        self._known = known
        self._lock = threading.Lock()
        self._most = MOST_OBJECTS
        #: Lists made by `counts.fresh_counts`, by the object's number; 0 is for calls
        #: to removed objects.
        self.by_object: dict[int, list[int]] = {}
        #: The counts that `take` has returned.
        self._taken: dict[int, list[int]] = {}

    def begin(self, idx: int) -> list[int]:
        """
        Begin to count the calls to one more object.

        Args:
            idx: Its number.

        Returns:
            Its counts.
        """
        with self._lock:
            if len(self.by_object) > self._most:
                past = self.by_object.setdefault(0, fresh_counts())
                for old in [i for i in self.by_object if i and i not in self._known]:
                    add_counts(past, self.by_object.pop(old))
                # If most are in use, search again when there are twice as many.
                self._most = max(MOST_OBJECTS, 2 * len(self.by_object))
            return self.by_object.setdefault(idx, fresh_counts())

    def reset_peaks(self, idx: int | None) -> None:
        """
        Forget the largest frame to an object, or to all of them.
        """
        with self._lock:
            for number, counts in self.by_object.items():
                if idx is None or number == idx:
                    counts[PEAK_BYTES] = counts[LAST_BYTES]

    def take(self) -> dict[int, list[int]]:
        """
        Return what was counted since the last time, by object.

        Threads of the server may still add to the counts: a call is counted after its
        answer was sent, and the client may have disconnected by then.
        """
        with self._lock:
            news = {}
            for idx, counts in self.by_object.items():
                now, before = list(counts), self._taken.get(idx)
                if now == before:
                    continue
                self._taken[idx] = now
                news[idx] = now if before is None else difference(now, before)
            return news

    def enter(self, ledger: Ledger) -> Changes:
        """
        Update a ledger.
        """
        with self._lock:
            return ledger.follow(self.by_object)
