"""
Handing over: a shared object that is pickled for a pool goes as something smaller.

Only pools are concerned: multiprocessing, concurrent.futures, loky and joblib, whenever
they are imported. Every other use of pickle is untouched, and so is every object that
was not added and lies on the memory of none that was. It does not know what goes in an
object's place.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from .capture import Capture
from .pickler_hooks import Taps
from .views import Views

if TYPE_CHECKING:
    from collections.abc import Callable

    from .part_lookup import Look

__all__ = ["Handover", "handover"]


class Handover:
    """
    The objects that go to workers as something else. Any thread may call it.

    There is one, `handover`: pools belong to the process. While it has no objects and
    no reducers, the pools are as they were before. In a forked child it starts anew.

    An object whose class is exactly dict, list, tuple, set or frozenset is never handed
    over as a whole, since picklers do not ask about these; its members are asked about
    one by one.

    Attributes:
        on_pickling: Called in the pickling thread when something is about to be pickled
            for a worker, before the first object is looked up. It may `add` and
            `discard`. What it raises is raised in the code that pickles.
    """

    def __init__(self) -> None:
        self.on_pickling: Callable[[], object] | None = None
        # By identity: each target lives at least as long as it stands here.
        self._gives: dict[int, tuple[Any, Callable[[], Any]]] = {}
        # Of those whose parts may lie on their memory, what finds such parts.
        self._looks: dict[int, Callable[[], Look | None]] = {}
        #: Of those that can be held as they are now, what holds them.
        self._holds: dict[int, Callable[[], Any]] = {}
        #: Called with whether there are objects, each time that changes.
        self.on_use: Callable[[bool], object] | None = None
        self._reducers: list[Callable[[Any, Any], Any]] = []
        self._taps = Taps(self._begin, self._gives, self._make_views, self._reducers)
        self._thread = threading.local()

    def add(
        self,
        target: Any,
        give: Callable[[], Any],
        look: Callable[[], Look | None] | None = None,
        hold: Callable[[], Any] | None = None,
    ) -> None:
        """
        Hand over an object from now on; one that is there already, in another way.

        Args:
            target: The very object; its equals and its copies go as ever.
            give: Called each time it is pickled for a worker, in the pickling thread,
                and several threads may do so at once; gives what ``__reduce__`` would,
                a callable and its arguments, or NotImplemented to let it go as ever
                this time. What it raises reaches the user as any error of pickling
                does.
            look: Called once in each pickle that holds an array or a buffer on memory
                of others; gives what finds those that are parts of the object.
            hold: Gives what pickles as the object as it is now, or None.
        """
        with self._taps.lock:
            is_first = not self._gives
            before = self._gives.get(id(target))
            self._gives[id(target)] = (target, give)
            if look is None:
                self._looks.pop(id(target), None)
            else:
                self._looks[id(target)] = look
            if hold is None:
                self._holds.pop(id(target), None)
            else:
                self._holds[id(target)] = hold
            self._taps.open()
            if is_first and self.on_use is not None:
                self.on_use(True)
        # What is dropped may run code of the user's: not under the lock.
        del before

    def discard(self, target: Any) -> None:
        """
        Let an object go as ever; one that was not added does already.
        """
        with self._taps.lock:
            self._looks.pop(id(target), None)
            self._holds.pop(id(target), None)
            before = self._gives.pop(id(target), None)
            if before is not None:
                self._unused()
        del before

    def add_reducer(self, reducer: Callable[[Any, Any], Any]) -> None:
        """
        Ask a function about every object that a pool pickles; again is fine.

        Args:
            reducer: Called with the pickler and the object, in the pickling thread;
                gives what ``__reduce__`` would, or NotImplemented.
        """
        with self._taps.lock:
            if reducer not in self._reducers:
                self._reducers.append(reducer)
            self._taps.open()

    def discard_reducer(self, reducer: Callable[[Any, Any], Any]) -> None:
        """
        Ask a function no more; one that was not added is not asked already.
        """
        with self._taps.lock:
            if reducer in self._reducers:
                self._reducers.remove(reducer)
            self._close_if_idle()

    def _unused(self) -> None:
        self._close_if_idle()
        if not self._gives and self.on_use is not None:
            self.on_use(False)

    @property
    def has_objects(self) -> bool:
        """
        Whether anything is handed over.
        """
        return bool(self._gives)

    def capture(self) -> Capture:
        """
        Begin to hold what is passed to a pool in one line.
        """
        self._begin()
        return Capture(self._gives, self._holds, self._make_views())

    def _close_if_idle(self) -> None:
        if not self._gives and not self._reducers:
            self._taps.close()

    def clear(self) -> None:
        """
        Let every object go as ever.
        """
        with self._taps.lock:
            before = list(self._gives.values())
            self._looks.clear()
            self._holds.clear()
            self._gives.clear()
            self._unused()
        before.clear()

    def after_fork(self) -> None:
        """
        In a child, leave to the parent what is the parent's.
        """
        self._taps.lock = threading.RLock()
        self._thread = threading.local()
        self._reducers.clear()
        self.clear()

    def _make_views(self) -> Views | None:
        return Views(list(self._looks.values())) if self._looks else None

    def _begin(self) -> None:
        call = self.on_pickling
        # What it does may be pickling, too.
        if call is None or getattr(self._thread, "is_calling", False):
            return
        self._thread.is_calling = True
        try:
            call()
        finally:
            self._thread.is_calling = False


#: That of this process.
handover = Handover()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=handover.after_fork)
