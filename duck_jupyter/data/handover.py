"""
Hand-over: a pool pickles a shared object as a handle.

This affects only pools: multiprocessing, concurrent.futures, loky and joblib, whenever
they are imported. Every other use of pickle is unchanged. So is every object that was
not added and does not use the memory of an added one. This module does not know what is
pickled in place of an object.
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
    The objects that pools pickle as something else. Any thread may call it.

    There is one, `handover`, because pools belong to the process. While it has no
    objects and no reducers, the pools are unchanged. In a forked child it starts empty.

    An object whose class is exactly dict, list, tuple, set or frozenset is never handed
    over as a whole, because picklers call no hook for these; they call it for each
    member.

    Attributes:
        on_pickling: Called in the pickling thread when something will be pickled for a
            worker, before the first object is looked up. It may call `add` and
            `discard`. Its exceptions are raised in the code that pickles.
    """

    def __init__(self) -> None:
        self.on_pickling: Callable[[], object] | None = None
        # Keyed by id(): each target lives at least as long as its entry.
        self._gives: dict[int, tuple[Any, Callable[[], Any]]] = {}
        # For objects whose parts may use their memory: functions that find such parts.
        self._looks: dict[int, Callable[[], Look | None]] = {}
        #: Of those that can be held as they are now, what holds them.
        self._holds: dict[int, Callable[[], Any]] = {}
        #: Called with whether there are objects, each time that changes.
        self.on_use: Callable[[bool], object] | None = None
        self._reducers: list[Callable[[Any, Any], Any]] = []
        #: Called with an object that a pool could not pickle, and the error.
        self.on_failure: Callable[[Any, Exception], object] | None = None
        self._taps = Taps(
            self._begin, self._gives, self._make_views, self._reducers, self._failed
        )
        self._thread = threading.local()

    def add(
        self,
        target: Any,
        give: Callable[[], Any],
        look: Callable[[], Look | None] | None = None,
        hold: Callable[[], Any] | None = None,
    ) -> None:
        """
        Hand over an object from now on; if it was already added, replace its functions.

        Args:
            target: The object; equal objects and copies are pickled as usual.
            give: Called each time it is pickled for a worker, in the pickling thread;
                several threads may call it at once. It returns the same as
                ``__reduce__``, a callable and its arguments, or NotImplemented to
                pickle the object as usual this time. Its exceptions reach the user like
                any error of pickling.
            look: Called once in each pickle that holds an array or a buffer over other
                memory; it returns an object that finds parts of the target.
            hold: Returns what pickles as the object in its present state, or None.
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
        # Dropping these may run code of the user, so the lock is not held.
        del before

    def discard(self, target: Any) -> None:
        """
        Pickle an object as usual again; an object that was not added is ignored.
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
        Call a function for every object that a pool pickles. Repeated calls do nothing.

        Args:
            reducer: Called with the pickler and the object, in the pickling thread;
                returns the same as ``__reduce__``, or NotImplemented.
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

    def is_shared(self, value: Any) -> bool:
        """
        Return whether an object itself is handed over.
        """
        return id(value) in self._gives

    def hold(self, value: Any) -> Any:
        """
        Return a hold of a shared object in its present state, or None for others.

        Raises:
            ProxyError: It cannot be published.
        """
        if id(value) not in self._gives:
            return None
        hold = self._holds.get(id(value))
        return None if hold is None else hold()

    def follow(self) -> None:
        """
        Let names stand for what their variables stand for now.
        """
        if self._gives:
            self._begin()

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
        Pickle every object as usual again.
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
        In a forked child, forget the objects, which belong to the parent.
        """
        self._taps.lock = threading.RLock()
        self._thread = threading.local()
        self._reducers.clear()
        self.clear()

    def _make_views(self) -> Views | None:
        return Views(list(self._looks.values())) if self._looks else None

    def _failed(self, obj: Any, error: Exception) -> None:
        if self.on_failure is not None:
            self.on_failure(obj, error)

    def _begin(self) -> None:
        call = self.on_pickling
        # Its code may pickle, too.
        if call is None or getattr(self._thread, "is_calling", False):
            return
        self._thread.is_calling = True
        try:
            call()
        finally:
            self._thread.is_calling = False


#: The hand-over of this process.
handover: Handover = Handover()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=handover.after_fork)
