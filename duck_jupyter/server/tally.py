"""
What one client thread's calls are counted with: a note for each, added up later.

A note is one small tuple in a list, which is all that the hot path pays for. Equal
notes are then counted by the interpreter itself, at C speed, and each kind is added
once.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from .counters import (
    BYTES_IN,
    BYTES_OUT,
    EXECUTES,
    LAST_BYTES,
    PEAK_BYTES,
    add_counts,
    bucket_of,
    fresh_counts,
)

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["Tally"]

#: So many notes are added up though nobody asks.
MOST_NOTES = 2048
#: So many objects are counted apart before those that are no more are put together.
MOST_OBJECTS = 256


class Tally:
    """
    The counts of one client thread, by object.

    Args:
        known: The numbers of objects in use.
    """

    __slots__ = ("_counts", "_known", "_lock", "_most", "_notes", "note")

    def __init__(self, known: Container[int]) -> None:
        self._known = known
        self._lock = threading.Lock()
        self._notes: list[tuple[int, int, int, int]] = []
        self._counts: dict[int, list[int]] = {}
        self._most = MOST_OBJECTS
        #: Takes an object's number (0 for the server itself), any number for an
        #: opcode, and the bytes of request and answer.
        self.note = self._notes.append

    def note_latency(self, idx: int, seconds: float, calls: int) -> None:
        """
        Note how long some calls took.

        Args:
            idx: The object's number.
            seconds: How long each took.
            calls: How many calls this one stands for.
        """
        if len(self._notes) > MOST_NOTES:
            self._add_up()
        bucket = bucket_of(seconds)
        with self._lock:
            self._counts.setdefault(idx, fresh_counts())[bucket] += calls

    def counts(self) -> dict[int, list[int]]:
        """
        Give the counts until now, by object; 0 has those of objects that are no more.
        """
        self._add_up()
        with self._lock:
            return {idx: list(counts) for idx, counts in self._counts.items()}

    def _add_up(self) -> None:
        with self._lock:
            # Another thread may append at this moment: behind those taken here.
            count = len(self._notes)
            notes = self._notes[:count]
            del self._notes[:count]
            kinds = Counter(notes)
            for (idx, opcode, size_in, size_out), times in kinds.items():
                counts = self._counts.setdefault(idx, fresh_counts())
                if 0 <= opcode <= EXECUTES:
                    counts[opcode] += times
                counts[BYTES_IN] += size_in * times
                counts[BYTES_OUT] += size_out * times
                counts[PEAK_BYTES] = max(counts[PEAK_BYTES], size_in, size_out)
            waiting = {idx for idx, _, _, _ in kinds}
            for idx, _, size_in, size_out in reversed(notes):
                if idx in waiting:
                    self._counts[idx][LAST_BYTES] = max(size_in, size_out)
                    waiting.discard(idx)
                    if not waiting:
                        break
            if len(self._counts) > self._most:
                self._put_together()

    def _put_together(self) -> None:
        past = self._counts.setdefault(0, fresh_counts())
        for idx in [i for i in self._counts if i and i not in self._known]:
            add_counts(past, self._counts.pop(idx))
        # Where all are in use the next search waits until they are twice as many.
        self._most = max(MOST_OBJECTS, 2 * len(self._counts))
