"""
Counts of the hand-overs of objects to workers, and of the bytes that were not copied.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple

from ..data.handles import Handle
from ..data.layout import BUFFERS_AT

if TYPE_CHECKING:
    from ..data.handles import Inline

__all__ = ["Handed", "HandedCounts"]

#: The number of notes to keep before they are added up.
MOST_NOTES = 1000


class Handed(NamedTuple):
    """
    The number of hand-overs, and the bytes of data that they did not copy.
    """

    times: int = 0
    bytes: int = 0


class HandedCounts:
    """
    The hand-overs of one server, by object. Any thread may note one.
    """

    def __init__(self) -> None:
        # A signal handler may hand over in the middle of a hand-over, so noting takes
        # no lock.
        self._notes: deque[tuple[int, int, int]] = deque()
        self._lock = threading.Lock()
        self._by_object: dict[int, Handed] = defaultdict(Handed)
        self._all = Handed()

    def note(self, idx: int, count: int, size: int) -> None:
        """
        Note the hand-over of an object, or of a part of it.

        Args:
            idx: The object's number.
            count: The number of handles; 0 for one more part.
            size: Bytes that were not copied.
        """
        self._notes.append((idx, count, size))
        if len(self._notes) > MOST_NOTES:
            self._add_up()

    def note_handle(self, idx: int, handle: Handle | Inline) -> None:
        """
        Note the hand-over of a whole object.
        """
        size = handle.index_at - BUFFERS_AT if isinstance(handle, Handle) else 0
        self.note(idx, 1, size)

    def of(self, idx: int) -> Handed:
        """
        Return the hand-overs of an object and of its parts.
        """
        self._add_up()
        return self._by_object.get(idx, Handed())

    def in_all(self) -> Handed:
        """
        Return the hand-overs of all objects, including removed ones.
        """
        self._add_up()
        return self._all

    def forget(self, idx: int) -> None:
        """
        Keep the counts of a removed object only in the total.
        """
        self._add_up()
        self._by_object.pop(idx, None)

    def _add_up(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # another thread does, or the code that this one interrupts
        try:
            while self._notes:
                idx, count, size = self._notes.popleft()
                before = self._by_object[idx]
                self._by_object[idx] = Handed(before.times + count, before.bytes + size)
                self._all = Handed(self._all.times + count, self._all.bytes + size)
        finally:
            self._lock.release()
