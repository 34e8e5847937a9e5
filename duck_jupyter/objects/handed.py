"""
How often objects were handed over to workers, and how much was not copied for it.
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

#: So many notes are kept before they are added up.
MOST_NOTES = 1000


class Handed(NamedTuple):
    """
    Hand-overs, and the bytes of data that they did not copy.
    """

    times: int = 0
    bytes: int = 0


class HandedCounts:
    """
    The hand-overs of one server, by object. Any thread may note one.
    """

    def __init__(self) -> None:
        # A signal handler may hand over in the middle of a hand-over: to note takes no
        # lock.
        self._notes: deque[tuple[int, int, int]] = deque()
        self._lock = threading.Lock()
        self._by_object: dict[int, Handed] = defaultdict(Handed)
        self._all = Handed()

    def note(self, idx: int, count: int, size: int) -> None:
        """
        Note that an object was handed over, or a part of it.

        Args:
            idx: The object's number.
            count: How many handles were given out; 0 for one more part.
            size: Bytes that were not copied.
        """
        self._notes.append((idx, count, size))
        if len(self._notes) > MOST_NOTES:
            self._add_up()

    def note_handle(self, idx: int, handle: Handle | Inline) -> None:
        """
        Note that an object was handed over as a whole.
        """
        size = handle.index_at - BUFFERS_AT if isinstance(handle, Handle) else 0
        self.note(idx, 1, size)

    def of(self, idx: int) -> Handed:
        """
        Give the hand-overs of an object and of its parts.
        """
        self._add_up()
        return self._by_object.get(idx, Handed())

    def in_all(self) -> Handed:
        """
        Give the hand-overs of all objects, those that were removed among them.
        """
        self._add_up()
        return self._all

    def forget(self, idx: int) -> None:
        """
        Count an object that was removed only among all.
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
