"""
The objects of the table as values: access to them, and their publications.
"""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from ..data.attach import reduced
from ..data.holds import Hold, InplaceHold
from ..data.inplace import Inplace
from ..data.store import Store
from ..data.versions import Versions
from ..errors import AccessDenied, VersionsAwaited
from ..memory.mapped_by import mapped_by
from .handed import HandedCounts

if TYPE_CHECKING:
    from ..data.handles import Handle, Inline, Lent
    from ..data.part_lookup import Look
    from ..data.publication import Publication
    from ..stats.rows import Mode
    from .table import Entry, ObjectTable

__all__ = ["Publisher"]


class Publisher:
    """
    Publishes the objects of a table. Any thread may call it.

    Args:
        table: The objects.
    """

    def __init__(self, table: ObjectTable) -> None:
        self.store: Store = Store()
        self._table = table
        self._lock = threading.Lock()
        self._publications: dict[int, Publication | Inplace] = {}
        self.handed: HandedCounts = HandedCounts()

    def fetch(self, entry: Entry) -> Lent[Handle | Inline]:
        """
        Return a handle to the present state of an object, for a worker.

        The server releases it when the worker sends another request, or has
        disconnected.

        Raises:
            AccessDenied: Only some of its names are allowed.
            ProxyError: As for `handle`.
        """
        policy = entry.policy
        if policy.only is not None:
            raise AccessDenied(
                f"{entry.path} cannot be handed over as a whole, because only some of "
                f"its names are allowed ({', '.join(sorted(policy.only))}). To hand it "
                f"over, share it without --allow: {policy.command}"
            )
        self.sweep()
        lent = self._publication(entry).lend(entry.target)
        self.handed.note_handle(entry.idx, lent.handle)
        return lent

    def handle(self, entry: Entry, target: Any) -> Handle | Inline:
        """
        Return a handle to the present state of an object.

        Args:
            entry: The object's entry in the table.
            target: The object; another thread may be removing it from the table.

        Raises:
            DataEncodeError: Something in it cannot be pickled.
            ObjectChanged: It kept changing while it was published.
            DataTooBigError: There is no space for it.
        """
        self.sweep()
        handle = self._publication(entry).handle(target)
        self.handed.note_handle(entry.idx, handle)
        return handle

    def _publication(self, entry: Entry) -> Publication | Inplace:
        with self._lock:
            publication = self._publications.get(entry.idx)
            if publication is None:
                frozen = entry.policy.frozen
                publication = self.store.publication(entry.path, frozen=frozen)
                self._publications[entry.idx] = publication
        return publication

    def look(self, idx: int, target: Any) -> Look | None:
        """
        Return an object that finds parts of a shared object in one pickle.

        Args:
            idx: Its number in the table.
            target: The object; another thread may be removing it from the table.

        Returns:
            None if it is no longer shared.
        """
        entry = self._table.entries.get(idx)
        if entry is None or entry.target is not target:
            return None
        look = self._publication(entry).look(target)
        look.on_handed = partial(self.handed.note, idx)
        return look

    def reduced(self, entry: Entry, target: Any) -> Any:
        """
        Return the reduced form of a shared object, for a pickler.

        It is NotImplemented if the object must be pickled as usual.

        Raises:
            ProxyError: As for `handle`.
        """
        try:
            handle = self.handle(entry, target)
        except VersionsAwaited:
            # Slow is better than wrong: when objects are pickled, the pool's pipe
            # limits the rate.
            return NotImplemented
        return reduced(handle)

    def hold(self, idx: int, target: Any) -> Any:
        """
        Hold a shared object in its present state, for a pool that pickles it later.

        Args:
            idx: Its number in the table.
            target: The object; another thread may be removing it from the table.

        Returns:
            An object that pickles as the target in this state, or None if the target is
            no longer shared.

        Raises:
            VersionsAwaited: Too many states are held or wait for workers.
            ProxyError: As for `handle`.
        """
        entry = self._table.entries.get(idx)
        if entry is None or entry.target is not target:
            return None
        self.sweep()
        publication = self._publication(entry)
        note = partial(self.handed.note_handle, idx)
        if isinstance(publication, Inplace):
            return InplaceHold(publication, target, note)
        return Hold(publication, target, note)

    def put(self, entry: Entry, inplace: Inplace) -> None:
        """
        Note that the object itself is in shared memory.
        """
        self.store.add(inplace)
        with self._lock:
            before = self._publications.get(entry.idx)
            self._publications[entry.idx] = inplace
        if before is not None:
            self.store.retire(before)

    def renew(self, idx: int) -> None:
        """
        Note that a name now has another object.
        """
        with self._lock:
            publication = self._publications.get(idx)
        if publication is not None:
            publication.renew()

    def sweep(self) -> None:
        """
        End the publications of removed objects.
        """
        with self._lock:
            entries = self._table.entries
            gone = [idx for idx in self._publications if idx not in entries]
            ended = [self._publications.pop(idx) for idx in gone]
        for publication in ended:
            self.store.retire(publication)
        for idx in gone:
            self.handed.forget(idx)

    def mode(self, entry: Entry) -> Mode:
        """
        Return in one word which copy of an object workers get, and their access.
        """
        with self._lock:
            inplace = isinstance(self._publications.get(entry.idx), Inplace)
        return "inplace" if inplace else entry.policy.mode

    def published(self) -> frozenset[int]:
        """
        Return the numbers of the objects that have or had versions.
        """
        with self._lock:
            return frozenset(self._publications)

    def versions(self, idx: int) -> Versions:
        """
        Return the counts of an object's versions.
        """
        with self._lock:
            publication = self._publications.get(idx)
        return Versions() if publication is None else publication.versions()

    def holders(self) -> dict[int, dict[int, int]]:
        """
        Return how many versions of each object each process maps.
        """
        with self._lock:
            publications = dict(self._publications)
        taken = {idx: each.takers() for idx, each in publications.items()}
        files = {key: pids for found in taken.values() for key, pids in found.items()}
        mapped = mapped_by(files)
        return {
            idx: Counter(pid for key in found for pid in mapped[key])
            for idx, found in taken.items()
        }

    def close(self) -> None:
        """
        Release all versions. A process that maps one keeps its memory.
        """
        self.store.close()
        with self._lock:
            self._publications.clear()

    def after_fork(self) -> None:
        """
        In a forked child, drop the versions, which belong to the parent.
        """
        self._lock = threading.Lock()
        self._publications = {}
