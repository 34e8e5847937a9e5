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
    objects, the pools are unchanged. In a forked child it starts empty.

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
        self._taps = Taps(self._begin, self._gives, self._make_views)
        self._thread = threading.local()

    def add(
        self,
        target: Any,
        give: Callable[[], Any],
        look: Callable[[], Look | None] | None = None,
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
        """
        with self._taps.lock:
            before = self._gives.get(id(target))
            self._gives[id(target)] = (target, give)
            if look is None:
                self._looks.pop(id(target), None)
            else:
                self._looks[id(target)] = look
            self._taps.open()
        # Dropping these may run code of the user, so the lock is not held.
        del before

    def discard(self, target: Any) -> None:
        """
        Pickle an object as usual again; an object that was not added is ignored.
        """
        with self._taps.lock:
            self._looks.pop(id(target), None)
            before = self._gives.pop(id(target), None)
            if not self._gives:
                self._taps.close()
        del before

    def clear(self) -> None:
        """
        Pickle every object as usual again.
        """
        with self._taps.lock:
            before = list(self._gives.values())
            self._looks.clear()
            self._gives.clear()
            self._taps.close()
        before.clear()

    def after_fork(self) -> None:
        """
        In a forked child, forget the objects, which belong to the parent.
        """
        self._taps.lock = threading.RLock()
        self._thread = threading.local()
        self.clear()

    def _make_views(self) -> Views | None:
        return Views(list(self._looks.values())) if self._looks else None

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
