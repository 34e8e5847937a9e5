"""
The table of objects: number -> object, its holders, and its lifetime.

Numbers are never reused. A shared object stays until it is unshared. A chained object
stays until no process holds it: each sent reference counts once, and each dropped proxy
is released once.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from ..errors import LimitedProxyChaining, ProxyObjectNotFound
from ..protocol.references import TYPE_NAME_CHARS, ObjectRef
from ..protocol.special_methods import bits_of
from ..stats.counts import PEAK_BYTES, add_counts, fresh_counts
from .ownership import find_thread_bound
from .sizes import Sizer, sizer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .policy import Policy

__all__ = ["HERE", "Entry", "ObjectTable", "not_found"]

#: The server's own process, as a holder.
HERE = "here"
#: How long a pickled proxy of a chained object may take to arrive, in seconds.
LEASE_S = 600.0
PATH_CHARS = 160


class Entry:
    """
    One object, and the server's data about it.
    """

    __slots__ = (
        "counts",
        "holders",
        "idx",
        "is_bound",
        "is_open",
        "keeps_threads",
        "kept",
        "leases",
        "level",
        "owned",
        "parent",
        "path",
        "policy",
        "raises",
        "returned",
        "row",
        "since",
        "target",
        "turn",
    )

    def __init__(
        self, idx: int, target: Any, level: int, path: str, policy: Policy
    ) -> None:
        self.idx: int = idx
        #: The number of the object whose row counts its calls: an iterator has no row
        #: and counts as the object that it iterates over.
        self.row: int = idx
        self.level: int = level
        self.path: str = path
        #: The number of the object through which it was first reached.
        self.parent: int | None = None
        #: Whether it is shared: it stays even if no process holds it.
        self.kept: bool = False
        #: An iterator that raised: the next items are replaced by the error.
        self.raises: bool = False
        self.policy: Policy = policy
        self.is_open: bool = policy.is_open
        self.counts: list[int] = fresh_counts()
        #: References in other processes, by process; a shared object stays without any.
        self.holders: dict[str, int] = {}
        self.leases: list[float] = []
        self.since: float = time.time()
        #: Held while the next item of an iterator is taken. Python itself refuses an
        #: iterator that requests its own next item.
        self.turn: threading.RLock = threading.RLock()
        #: Items of an iterator that were given back.
        self.returned: deque[Any] = deque()
        self.aim(target)

    def aim(self, target: Any) -> None:
        """
        Set the entry's object.
        """
        self.target: Any = target
        bound = find_thread_bound(target)
        #: Functions that return whether the calling thread owns a lock of the object.
        self.owned: tuple[Callable[[], bool], ...] = bound.owned
        #: Whether each client thread must always use the same thread for the object.
        self.keeps_threads: bool = bound.keeps_threads
        #: Whether each client thread must use the same thread at least for some time.
        self.is_bound: bool = bound.keeps_threads or bool(bound.owned)

    @property
    def type_name(self) -> str:
        """
        The name of the object's type.
        """
        return type(self.target).__name__[:TYPE_NAME_CHARS]

    def __repr__(self) -> str:
        return f"<Entry {self.idx} {self.path} ({self.type_name})>"


class ObjectTable:
    """
    All objects of one server. Any thread may call it.
    """

    sizer_of: Callable[[type], Sizer | None] = staticmethod(sizer_of)

    def __init__(self) -> None:
        #: The hot path reads this without the lock.
        self.entries: dict[int, Entry] = {}
        self._by_object: dict[tuple[int, Policy], Entry] = {}
        self._numbers = itertools.count(1)
        self._type_numbers = itertools.count(1)
        self._types: weakref.WeakKeyDictionary[type, int] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()
        self._dropped_here: deque[int] = deque()
        #: Counts of removed objects.
        self.past: list[int] = fresh_counts()

    def add(self, target: Any, policy: Policy) -> Entry:
        """
        Add a shared object, or return its entry if it has one with the same policy.
        """
        with self._lock:
            entry = self._known(target, policy)
            if entry is None:
                entry = Entry(next(self._numbers), target, 0, policy.name, policy)
                self._keep(entry)
            entry.kept = True
            entry.level = 0
            entry.path = policy.name
            entry.parent = None
            return entry

    def get(self, idx: int) -> Entry:
        """
        Return the entry of an object.

        Raises:
            ProxyObjectNotFound: There is no such object.
        """
        entry = self.entries.get(idx)
        if entry is None:
            raise not_found(idx)
        return entry

    def reference(self, entry: Entry) -> ObjectRef:
        """
        Return the data that a proxy of an entry needs.
        """
        kind = type(entry.target)
        with self._lock:
            number = self._types.get(kind)
            if number is None:
                number = self._types[kind] = next(self._type_numbers)
        specials = bits_of(entry.target)
        return ObjectRef(entry.idx, entry.level, number, specials, entry.type_name)

    def export(self, target: Any, parent: Entry, step: str, holder: str) -> ObjectRef:
        """
        Return a reference to an object that was reached through another one.

        Args:
            target: The reached object.
            parent: The object it was reached through.
            step: The step to it, such as ``".index"`` or ``".groupby()"``.
            holder: The process that gets the reference.

        Raises:
            LimitedProxyChaining: Its proxy would have too high a level.
        """
        policy = parent.policy.after(step)
        with self._lock:
            if target is parent.target:
                entry = parent
            else:
                level = parent.level + 1
                known = self._known(target, policy)
                if known is None:
                    path = _shorten(parent.path + step)
                    if level > policy.max_chain:
                        raise LimitedProxyChaining.at(
                            policy.max_chain,
                            type(target).__name__,
                            path,
                            policy.name,
                            policy.line_with_longer_chains,
                        )
                    known = Entry(next(self._numbers), target, level, path, policy)
                    known.parent = parent.row
                    self._keep(known)
                elif level < known.level:
                    known.level, known.path = level, _shorten(parent.path + step)
                    known.parent = parent.row
                entry = known
            if entry.level:
                entry.holders[holder] = entry.holders.get(holder, 0) + 1
            return self.reference(entry)

    def add_iterator(self, iterator: Any, parent: Entry, holder: str) -> Entry:
        """
        Keep an iterator over an object for one process.

        It is not a step of a chain: its items have the same level as the object's own.
        """
        with self._lock:
            entry = Entry(
                next(self._numbers), iterator, parent.level, parent.path, parent.policy
            )
            entry.row, entry.parent = parent.row, parent.parent
            entry.holders[holder] = 1
            self._keep(entry)
            return entry

    def lend(self, idx: int) -> None:
        """
        Keep an object while a pickle of its proxy is being transferred.
        """
        entry = self.get(idx)
        with self._lock:
            entry.leases.append(time.monotonic() + LEASE_S)

    def adopt(self, idx: int, holder: str) -> None:
        """
        Note that a pickled proxy has arrived.

        Raises:
            ProxyObjectNotFound: The transfer took too long, or no process held the
                object.
        """
        with self._lock:
            entry = self.get(idx)
            if entry.leases:
                entry.leases.pop(0)
            entry.holders[holder] = entry.holders.get(holder, 0) + 1

    def release(self, numbers: Iterable[int], holder: str) -> None:
        """
        Release references that a process had.
        """
        gone: list[Any] = []
        with self._lock:
            for idx in numbers:
                entry = self.entries.get(idx)
                if entry is None:
                    continue
                left = entry.holders.get(holder, 0) - 1
                if left > 0:
                    entry.holders[holder] = left
                else:
                    entry.holders.pop(holder, None)
                    self._let_go(entry, gone)
        # Dropping these objects may run code of the user, so the lock is not held.
        gone.clear()

    def count(self, tallies: Mapping[int, list[int]]) -> None:
        """
        Keep the counts of calls by a client thread that has ended.

        Args:
            tallies: Counts by object number.
        """
        with self._lock:
            for idx, counts in tallies.items():
                entry = self.entries.get(idx)
                add_counts(self.past if entry is None else entry.counts, counts)

    def reset_peaks(self, idx: int | None) -> None:
        """
        Reset the largest frame of an object, or of all objects.
        """
        with self._lock:
            for entry in self.entries.values():
                if idx is None or entry.idx == idx:
                    entry.counts[PEAK_BYTES] = 0
            if idx is None:
                self.past[PEAK_BYTES] = 0

    def drop_here(self, idx: int) -> None:
        """
        Note that a proxy in the server's own process was dropped; safe in ``__del__``.
        """
        self._dropped_here.append(idx)

    def sweep(self) -> None:
        """
        Release the references that this process dropped.
        """
        dropped = []
        while self._dropped_here:
            with contextlib.suppress(IndexError):  # another thread was faster
                dropped.append(self._dropped_here.popleft())
        self.release(dropped, HERE)

    def expire(self) -> None:
        """
        Release objects whose pickled proxies never arrived.
        """
        now = time.monotonic()
        gone: list[Any] = []
        with self._lock:
            for entry in list(self.entries.values()):
                if entry.leases and entry.leases[0] < now:
                    entry.leases = [end for end in entry.leases if end >= now]
                    self._let_go(entry, gone)
        gone.clear()

    def drop_holder(self, holder: str) -> None:
        """
        Release everything that a process held, because it has ended.
        """
        gone: list[Any] = []
        with self._lock:
            for entry in list(self.entries.values()):
                if entry.holders.pop(holder, None) is not None:
                    self._let_go(entry, gone)
        gone.clear()

    def remove(self, idx: int) -> None:
        """
        Remove a shared object; its proxies then raise `ProxyObjectNotFound`.
        """
        with self._lock:
            entry = self.entries.pop(idx, None)
            if entry is not None:
                self._unmap(entry)
                add_counts(self.past, entry.counts)

    def aim(self, idx: int, target: Any) -> Entry:
        """
        Replace the object of an entry.
        """
        with self._lock:
            entry = self.get(idx)
            old = entry.target
            self._unmap(entry)
            entry.aim(target)
            self._by_object[id(target), entry.policy] = entry
        del old
        return entry

    def _known(self, target: Any, policy: Policy) -> Entry | None:
        """
        Return the entry of an object, unless its removal was interrupted half-way.
        """
        entry = self._by_object.get((id(target), policy))
        return entry if entry and self.entries.get(entry.idx) is entry else None

    def _keep(self, entry: Entry) -> None:
        self.entries[entry.idx] = entry
        self._by_object[id(entry.target), entry.policy] = entry

    def _unmap(self, entry: Entry) -> None:
        key = (id(entry.target), entry.policy)
        if self._by_object.get(key) is entry:
            del self._by_object[key]

    def _let_go(self, entry: Entry, gone: list[Any]) -> None:
        if not entry.kept and not entry.holders and not entry.leases:
            del self.entries[entry.idx]
            self._unmap(entry)
            add_counts(self.past, entry.counts)
            gone.append(entry)


def not_found(idx: object) -> ProxyObjectNotFound:
    """
    Make the error for a number without an object.
    """
    return ProxyObjectNotFound(
        f"The server has no object number {idx!r}: it was unshared (%unshare, del), it "
        "was shared again with other settings, or no process held its proxy any more. "
        "Share it again and pass the new proxy."
    )


def _shorten(path: str) -> str:
    if len(path) <= PATH_CHARS:
        return path
    half = PATH_CHARS // 2 - 1
    return f"{path[:half]}...{path[-half:]}"
