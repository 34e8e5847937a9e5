"""
The objects of the table as values: who may have them, and their publications.
"""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from ..data.attach import reduced
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
    from .table import Entry, ObjectTable

__all__ = ["Publisher"]


class Publisher:
    """
    Publishes the objects of a table. Any thread may call it.

    Args:
        table: The objects.
    """

    def __init__(self, table: ObjectTable) -> None:
        self.store = Store()
        self._table = table
        self._lock = threading.Lock()
        self._publications: dict[int, Publication | Inplace] = {}
        self.handed = HandedCounts()

    def fetch(self, entry: Entry) -> Lent[Handle | Inline]:
        """
        Give what stands for an object as it is now, to a worker that asks.

        The server gives it up when the worker asks for something else, or has gone.

        Raises:
            AccessDenied: Only some of its names are open.
            ProxyError: As `handle`.
        """
        policy = entry.policy
        if policy.only is not None:
            raise AccessDenied(
                f"{entry.path} is not handed over as a whole, for it is shared with a "
                f"few names only (allow: {', '.join(sorted(policy.only))}). To open "
                f"it, share it without them: {policy.command}"
            )
        self.sweep()
        lent = self._publication(entry).lend(entry.target)
        self.handed.note_handle(entry.idx, lent.handle)
        return lent

    def handle(self, entry: Entry, target: Any) -> Handle | Inline:
        """
        Give what stands for an object as it is now.

        Args:
            entry: Where it is in the table.
            target: The object, which another thread may just be taking from there.

        Raises:
            DataEncodeError: Something in it cannot be pickled.
            ObjectChanged: It goes on changing.
            DataTooBigError: There is no room for it.
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
        Give what finds parts of a shared object in one pickle.

        Args:
            idx: Its number in the table.
            target: The object, which another thread may just be taking from there.

        Returns:
            None where it is not shared any more.
        """
        entry = self._table.entries.get(idx)
        if entry is None or entry.target is not target:
            return None
        look = self._publication(entry).look(target)
        look.on_handed = partial(self.handed.note, idx)
        return look

    def reduced(self, entry: Entry, target: Any) -> Any:
        """
        Give what a pickler is told in place of a shared object.

        It is told NotImplemented where the object is to be pickled as ever.

        Raises:
            ProxyError: As `handle`.
        """
        try:
            handle = self.handle(entry, target)
        except VersionsAwaited:
            # Rather slow than wrong: pickled as ever, the pool's pipe is the brake.
            return NotImplemented
        return reduced(handle)

    def put(self, entry: Entry, inplace: Inplace) -> None:
        """
        Note that an object lies in shared memory itself.
        """
        self.store.add(inplace)
        with self._lock:
            before = self._publications.get(entry.idx)
            self._publications[entry.idx] = inplace
        if before is not None:
            self.store.retire(before)

    def renew(self, idx: int) -> None:
        """
        Note that a name stands for another object now.
        """
        with self._lock:
            publication = self._publications.get(idx)
        if publication is not None:
            publication.renew()

    def sweep(self) -> None:
        """
        End the publications of objects that are no more.
        """
        with self._lock:
            entries = self._table.entries
            gone = [idx for idx in self._publications if idx not in entries]
            ended = [self._publications.pop(idx) for idx in gone]
        for publication in ended:
            self.store.retire(publication)
        for idx in gone:
            self.handed.forget(idx)

    def mode(self, entry: Entry) -> str:
        """
        Say in a word what workers get of an object, and what they may do with it.
        """
        with self._lock:
            inplace = isinstance(self._publications.get(entry.idx), Inplace)
        return "inplace" if inplace else entry.policy.mode

    def published(self) -> frozenset[int]:
        """
        Give the numbers of the objects of which something is kept, or was.
        """
        with self._lock:
            return frozenset(self._publications)

    def versions(self, idx: int) -> Versions:
        """
        Tell what is kept of an object.
        """
        with self._lock:
            publication = self._publications.get(idx)
        return Versions() if publication is None else publication.versions()

    def holders(self) -> dict[int, dict[int, int]]:
        """
        Tell how many versions of each object each process maps.
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
        In a child, leave to the parent what is the parent's.
        """
        self._lock = threading.Lock()
        self._publications = {}
