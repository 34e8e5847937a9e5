"""
The errors that went to workers: the last ones, how often each kind came, cut chains.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from ..errors import LimitedProxyChaining
from .advice import ways_out
from .rows import ChainRow, ErrorRecord, ErrorRow, LastError

if TYPE_CHECKING:
    from .advice import Ways

__all__ = ["CUTS_KEPT", "ErrorLog", "Errors", "Noted", "Subject", "with_pid"]

#: Exceptions that are kept, and kinds of them.
ERRORS_KEPT = 200
#: Kinds that are counted; further ones are not.
KINDS_COUNTED = 100_000
#: Paths that were cut, the newest of them.
CUTS_KEPT = 200
#: Processes that are kept for one kind, the newest of them.
PIDS_KEPT = 100
#: Objects whose last error is kept, and objects that are counted for one kind.
OBJECTS_KEPT = 1000


class Subject(NamedTuple):
    """
    The subject of a request.
    """

    #: The object's number; 0 if there is none.
    idx: int
    #: Its path, or a description in its place.
    path: str
    #: The shared name that the path begins with; empty if there is none.
    name: str
    #: The attribute, the method or the control request.
    asked: str


class Noted(NamedTuple):
    """
    The last error of an object.
    """

    #: Its type and message.
    text: str
    error: LastError


class Errors(NamedTuple):
    """
    The state of the log at one moment.
    """

    #: The last exceptions, the newest last.
    records: tuple[ErrorRecord, ...]
    by_type: tuple[tuple[str, int], ...]
    #: The newest first.
    groups: tuple[ErrorRow, ...]
    #: The number of kinds, including those no longer kept.
    kinds: int
    chains: tuple[ChainRow, ...]


class _Kind(NamedTuple):
    row: ErrorRow
    #: The numbers of the objects.
    objects: set[int]


class ErrorLog:
    """
    The exceptions that went to workers.

    Errors are of one kind if they have the same type, message and ways out. Their
    objects may differ.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[ErrorRecord] = deque(maxlen=ERRORS_KEPT)
        self._by_type: Counter[str] = Counter()
        #: The last error of an object, by its number.
        self.last_of: dict[int, Noted] = {}
        self._kinds: dict[tuple[str, str, Ways], _Kind] = {}
        #: The keys of all kinds, including those no longer kept.
        self._keys: set[str] = set()
        self._cuts: dict[tuple[str, int], ChainRow] = {}

    def note(
        self,
        error: BaseException,
        message: str,
        traceback: str,
        subject: Subject,
        worker: tuple[int, str],
    ) -> Noted:
        """
        Log an exception.

        Args:
            error: The exception.
            message: Its text.
            traceback: Its traceback as text.
            subject: The subject of the request.
            worker: The number and the name of the process that gets it.
        """
        now = time.time()
        kind = type(error).__name__
        pid, name = worker
        identity = kind, message, ways_out(error, subject.name)
        with self._lock:
            known = self._kinds.get(identity)
            if known is None:
                cut = error.path if isinstance(error, LimitedProxyChaining) else ""
                known = self._begin(identity, cut, now)
            row, objects = known
            if len(objects) < OBJECTS_KEPT:
                objects.add(subject.idx)
            row = replace(
                row,
                object=subject.path,
                idx=subject.idx,
                objects=len(objects),
                count=row.count + 1,
                last=now,
                pids=with_pid(row.pids, pid),
                worker=name,
                traceback=traceback,
            )
            self._kinds[identity] = _Kind(row, objects)
            self._by_type[kind] += 1
            self._records.append(
                ErrorRecord(
                    time=now,
                    key=row.key,
                    type=kind,
                    message=message,
                    object=subject.path,
                    asked=subject.asked,
                    pid=pid,
                    worker=name,
                    traceback=traceback,
                )
            )
            noted = Noted(f"{kind}: {message}", LastError(row.key, kind, now))
            self._set_last(subject.idx, noted)
            return noted

    def _begin(self, identity: tuple[str, str, Ways], cut: str, now: float) -> _Kind:
        """
        Make a new kind, and drop the oldest one if there are too many.
        """
        if len(self._kinds) >= ERRORS_KEPT:
            oldest = min(self._kinds, key=lambda each: self._kinds[each].row.last)
            del self._kinds[oldest]
        kind, message, ways = identity
        key = _key_of(identity)
        if len(self._keys) < KINDS_COUNTED:
            self._keys.add(key)
        row = ErrorRow(
            key=key,
            type=kind,
            object="",
            idx=0,
            objects=0,
            message=message,
            cut=cut,
            count=0,
            first=now,
            last=now,
            pids=(),
            worker="",
            ways_out=ways,
            traceback="",
        )
        return _Kind(row, set())

    def _set_last(self, idx: int, noted: Noted) -> None:
        # The newest is at the end, so the first one is the oldest.
        self.last_of.pop(idx, None)
        self.last_of[idx] = noted
        if len(self.last_of) > OBJECTS_KEPT:
            del self.last_of[next(iter(self.last_of))]

    def note_cut(self, error: LimitedProxyChaining, shared: int, noted: Noted) -> None:
        """
        Count a path that was cut.

        Args:
            error: The exception that the worker got.
            shared: The number of the shared object at the start of the path. The error
                is its last one as well, because the objects reached through it may be
                released at once.
            noted: The result of `note` for this error.
        """
        place = error.path, error.max_level
        with self._lock:
            self._set_last(shared, noted)
            before = self._cuts.get(place)
            if before is None and len(self._cuts) >= CUTS_KEPT:
                del self._cuts[next(iter(self._cuts))]
            self._cuts[place] = ChainRow(
                key=noted.error.key,
                path=error.path,
                type=error.type_name,
                level=error.max_level + 1,
                max_level=error.max_level,
                cuts=1 if before is None else before.cuts + 1,
            )

    def snapshot(self) -> Errors:
        """
        Return the state of the log.
        """
        with self._lock:
            rows = [kind.row for kind in self._kinds.values()]
            rows.sort(key=lambda row: -row.last)
            return Errors(
                tuple(self._records),
                tuple(sorted(self._by_type.items())),
                tuple(rows),
                len(self._keys),
                tuple(self._cuts.values()),
            )


def _key_of(identity: tuple[str, str, Ways]) -> str:
    """
    Return the key of a kind of error; it is the same in every kernel.
    """
    text = repr(identity).encode(errors="backslashreplace")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def with_pid(pids: tuple[int, ...], pid: int) -> tuple[int, ...]:
    """
    Add a process to those of a row, which has the newest ones.
    """
    return pids if pid in pids else (*pids[1 - PIDS_KEPT :], pid)
