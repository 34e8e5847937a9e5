"""
Store: the publications of one server, and the limit of their memory.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING

from ..errors import VersionsAwaited
from ..memory.folders import memory_place
from ..memory.spool import spool_place
from .holds import let_go
from .publication import Publication
from .versions import Versions

if TYPE_CHECKING:
    from .inplace import Inplace
    from .versions import Version

__all__ = ["Store"]

#: A handle that has not arrived after this many seconds is treated as lost.
LOST_S = 600.0
#: The share of the shared memory (or of the spool folder for larger objects) for
#: versions that are kept only for handles that have not arrived.
AWAITED_SHARE = 0.5

#: Seconds between two searches for memory that workers have released.
TIDY_EVERY_S = 2.0

_stores: weakref.WeakSet[Store] = weakref.WeakSet()


class Store:
    """
    The publications of one server. Any thread may call it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._publications: list[Publication | Inplace] = []
        #: Unshared publications that are kept for handles that have not arrived.
        self._retired: list[Publication | Inplace] = []
        self._tidying: threading.Thread | None = None
        self._closed = threading.Event()
        _stores.add(self)

    def publication(self, name: str, *, frozen: bool = False) -> Publication:
        """
        Make a publication; `retire` ends it.
        """
        publication = Publication(self, name, frozen=frozen)
        self.add(publication)
        return publication

    def add(self, publication: Publication | Inplace) -> None:
        """
        Add a publication that ends with the store.
        """
        with self._lock:
            self._publications.append(publication)

    def retire(self, publication: Publication | Inplace) -> None:
        """
        End a publication; its handles can still arrive.
        """
        with self._lock:
            if publication in self._publications:
                self._publications.remove(publication)
            # It may be in the list again: a handle was made while it was retired.
            if publication not in self._retired:
                self._retired.append(publication)
        self._sweep()

    def _sweep(self) -> None:
        let_go()
        # Under the lock: a publication that is added again is in one list or the other.
        with self._lock:
            for publication in list(self._retired):
                if publication.retire() and publication in self._retired:
                    self._retired.remove(publication)
            if self._retired:
                self.tidy_soon()

    def tidy_soon(self) -> None:
        """
        Search from time to time for memory that workers released, until none is left.

        No event reports that a worker unmaps a version.
        """
        with self._lock:
            if self._tidying is None and not self._closed.is_set():
                self._tidying = threading.Thread(
                    target=self._tidy, name="duck-tidy", daemon=True
                )
                self._tidying.start()

    def _tidy(self) -> None:
        while not self._closed.wait(TIDY_EVERY_S):
            self.versions()
            with self._lock:
                if not self._retired and not any(p.is_untidy for p in self._all()):
                    self._tidying = None
                    return

    def make_way(self, publication: Publication, size: int) -> None:
        """
        Ensure that versions that no worker has fetched yet do not fill the memory.

        Args:
            publication: The publication that will keep another version.
            size: The size of this version in bytes.

        Raises:
            VersionsAwaited: Too many versions wait for their handles to arrive.
        """
        self._sweep()
        place = memory_place()
        if size > place.room:
            for other in self._all():
                other.drop_spares()
        if size > place.capacity:  # it is written to the spool folder in any case
            place = spool_place()
        awaited = [
            (version, owner)
            for owner in self._all()
            if isinstance(owner, Publication)
            for version in owner.awaited()
        ]
        taken = sum(version.size for version, _ in awaited)
        bound = AWAITED_SHARE * place.capacity
        awaited.sort(key=_age, reverse=True)
        now = time.monotonic()
        for version, owner in awaited:
            if taken + size <= bound or now - version.given_at < LOST_S:
                break
            if version.held_by:
                continue
            owner.give_up(version)
            taken -= version.size
        if awaited and taken and taken + size > bound:
            raise VersionsAwaited(
                f"{publication.name!r} changed again while workers have yet to fetch "
                f"{taken:,} bytes of its earlier versions. The limit is {bound:,.0f} "
                f"bytes, half of {place.folder}. Wait for the workers before you "
                "change it."
            )

    def _all(self) -> list[Publication | Inplace]:
        with self._lock:
            return [*self._publications, *self._retired]

    def versions(self) -> Versions:
        """
        Return the counts of versions of all objects, including unshared ones.
        """
        self._sweep()
        found = [publication.versions() for publication in self._all()]
        return Versions(*(sum(column) for column in zip(*found, strict=True)))

    def close(self) -> None:
        """
        Release all versions; processes that map them keep them. May be called again.
        """
        with self._lock:
            self._closed.set()
            publications = [*self._publications, *self._retired]
            self._publications, self._retired = [], []
            tidying = self._tidying
        for publication in publications:
            publication.close()
        if tidying is not None and tidying is not threading.current_thread():
            tidying.join(timeout=TIDY_EVERY_S)

    def after_fork(self) -> None:
        """
        In a forked child, drop what belongs to the parent.
        """
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._closed.set()
        for publication in (*self._publications, *self._retired):
            publication.after_fork()
        self._publications, self._retired = [], []


def _age(found: tuple[Version, Publication]) -> float:
    return time.monotonic() - found[0].given_at


def _after_fork_in_child() -> None:
    for store in list(_stores):
        store.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
