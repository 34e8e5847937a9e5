"""
The errors that went to workers: the last ones, how often each kind came, cut chains.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING

import msgspec

from .advice import ways_out
from .rows import ChainRow, ErrorRecord, ErrorRow

if TYPE_CHECKING:
    from ..errors import LimitedProxyChaining

__all__ = ["ErrorLog"]

ERRORS_KEPT = 200
#: Objects whose last error is known.
OBJECTS_KEPT = 1000


class ErrorLog:
    """
    The last exceptions that went to workers, and how often each kind did.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.records: deque[ErrorRecord] = deque(maxlen=ERRORS_KEPT)
        self.by_type: Counter[str] = Counter()
        #: The last error of an object, by its number.
        self.last_of: dict[int, str] = {}
        self._groups: dict[tuple[str, str, str], ErrorRow] = {}
        self._cuts: dict[tuple[str, int], ChainRow] = {}

    def note(
        self,
        error: BaseException,
        message: str,
        traceback: str,
        idx: int,
        object_name: str,
        asked: str,
        worker: tuple[int, str],
    ) -> None:
        """
        Keep an exception.
        """
        now = time.time()
        kind = type(error).__name__
        pid, name = worker
        record = ErrorRecord(
            now, kind, message, object_name, asked, pid, name, traceback
        )
        key = (kind, object_name, message)
        with self._lock:
            self.records.append(record)
            self.by_type[kind] += 1
            self._set_last(idx, f"{kind}: {message}")
            old = self._groups.get(key)
            if old is None:
                if len(self._groups) >= ERRORS_KEPT:
                    oldest = min(self._groups, key=lambda k: self._groups[k].last)
                    del self._groups[oldest]
                ways = ways_out(error, object_name)
                self._groups[key] = ErrorRow(
                    kind,
                    object_name,
                    message,
                    1,
                    now,
                    now,
                    (pid,),
                    name,
                    ways,
                    traceback,
                )
            else:
                pids = old.pids
                if pid not in pids:
                    pids = (*pids, pid)
                self._groups[key] = msgspec.structs.replace(
                    old,
                    count=old.count + 1,
                    last=now,
                    pids=pids,
                    worker=name,
                    traceback=traceback,
                )

    def _set_last(self, idx: int, text: str) -> None:
        # The last one goes to the end, so that the first one is the oldest.
        self.last_of.pop(idx, None)
        self.last_of[idx] = text
        if len(self.last_of) > OBJECTS_KEPT:
            del self.last_of[next(iter(self.last_of))]

    def note_cut(
        self,
        error: LimitedProxyChaining,
        message: str,
        path: str,
        type_name: str,
        shared: int,
    ) -> None:
        """
        Count a chain that was cut.

        Args:
            error: What the worker got.
            message: Its text.
            path: Where the chain would have led.
            type_name: The type of what is there.
            shared: The object that the chain begins with. It is told as that one's last
                error too, since what was reached through it may go at once.
        """
        key = (path, error.max_level)
        with self._lock:
            self._set_last(shared, f"{type(error).__name__}: {message}")
            old = self._cuts.get(key)
            cuts = 1 if old is None else old.cuts + 1
            self._cuts[key] = ChainRow(
                path, type_name, error.max_level + 1, error.max_level, cuts
            )

    def snapshot(
        self,
    ) -> tuple[
        tuple[ErrorRecord, ...],
        tuple[tuple[str, int], ...],
        tuple[ErrorRow, ...],
        tuple[ChainRow, ...],
    ]:
        """
        Give the records, counts by type, groups (newest first) and cut chains.
        """
        with self._lock:
            groups = sorted(self._groups.values(), key=lambda g: -g.last)
            return (
                tuple(self.records),
                tuple(sorted(self.by_type.items())),
                tuple(groups),
                tuple(self._cuts.values()),
            )
