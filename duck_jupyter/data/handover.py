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

from .pickler_hooks import Taps
from .views import Views

if TYPE_CHECKING:
    from collections.abc import Callable

    from .part_lookup import Look

__all__ = ["Handover", "handover"]


class Handover:
    """
    The objects that go to workers as something else. Any thread may call it.

    There is one, `handover`: pools belong to the process. While it has no objects, the
    pools are as they were before. In a forked child it starts anew.

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
        self._taps = Taps(self._begin, self._gives, self._make_views)
        self._thread = threading.local()

    def add(
        self,
        target: Any,
        give: Callable[[], Any],
        look: Callable[[], Look | None] | None = None,
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
        """
        with self._taps.lock:
            before = self._gives.get(id(target))
            self._gives[id(target)] = (target, give)
            if look is None:
                self._looks.pop(id(target), None)
            else:
                self._looks[id(target)] = look
            self._taps.open()
        # What is dropped may run code of the user's: not under the lock.
        del before

    def discard(self, target: Any) -> None:
        """
        Let an object go as ever; one that was not added does already.
        """
        with self._taps.lock:
            self._looks.pop(id(target), None)
            before = self._gives.pop(id(target), None)
            if not self._gives:
                self._taps.close()
        del before

    def clear(self) -> None:
        """
        Let every object go as ever.
        """
        with self._taps.lock:
            before = list(self._gives.values())
            self._looks.clear()
            self._gives.clear()
            self._taps.close()
        before.clear()

    def after_fork(self) -> None:
        """
        In a child, leave to the parent what is the parent's.
        """
        self._taps.lock = threading.RLock()
        self._thread = threading.local()
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
handover: Handover = Handover()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=handover.after_fork)
