"""
Where pools pickle: the classes that pickle for workers, and for nobody else.

`Taps` puts itself into them and takes itself out again. It knows nothing of what is
handed over: it looks each object up, and shows all others to `Views`. Both pickle and
cloudpickle ask a method ``reducer_override`` before all registered reducers, joblib's
for arrays among them; what it declines goes on as if we were not there. Exact dicts,
lists, tuples, sets, strings and numbers never come by.

- multiprocessing and concurrent.futures: ``ForkingPickler``.
- joblib's backend "multiprocessing": ``CustomizablePickler`` in joblib.pool.
- loky, and the copy of it in joblib: a class that ``set_loky_pickler`` makes anew, so
  the function ``dump`` is ours, which looks after the class of the day.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from .import_hook import ImportWatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .views import Views

    Gives = dict[int, tuple[Any, Callable[[], Any]]]

__all__ = ["Taps"]

#: Modules with a pickler class, and its name.
PICKLERS = {
    "multiprocessing.reduction": "ForkingPickler",
    "joblib.pool": "CustomizablePickler",
}
#: Modules whose function ``dump`` uses the pickler class that they hold at the time.
DUMPERS = {
    "loky.backend.reduction": "_LokyPickler",
    "joblib.externals.loky.backend.reduction": "_LokyPickler",
}
_ABSENT = object()


class Taps:
    """
    Our place in the picklers of all pools, those that are imported later included.

    Args:
        begin: Called when something is about to be pickled.
        gives: By identity, an object that lives at least as long as it stands here,
            and what gives what a reducer would, or NotImplemented; all others go as
            ever.
        views: Gives what finds the parts of shared objects in one pickle, or None.
    """

    def __init__(
        self,
        begin: Callable[[], object],
        gives: Gives,
        views: Callable[[], Views | None],
    ) -> None:
        self._begin = begin
        self._gives = gives
        self._views = views
        # Where, under which name, what of ours, and what was there before.
        self._placed: list[tuple[Any, str, Any, Any]] = []
        self._watch = ImportWatch([*PICKLERS, *DUMPERS], self._see)
        self._is_open = False
        #: Guards what is put into the classes.
        self.lock: threading.RLock = threading.RLock()

    def open(self) -> None:
        """
        Take our place; again is fine.
        """
        with self.lock:
            if self._is_open:
                return
            self._is_open = True
            # Before looking: what is imported meanwhile is seen twice, and taken once.
            self._watch.start()
            for name in (*PICKLERS, *DUMPERS):
                module = sys.modules.get(name)
                if module is not None:
                    self._see(module)

    def close(self) -> None:
        """
        Leave everything as it was; again is fine.
        """
        with self.lock:
            self._is_open = False
            self._watch.stop()
            while self._placed:
                holder, name, ours, before = self._placed.pop()
                if vars(holder).get(name) is not ours:
                    # Somebody took the place after us; ours declines all from now on.
                    continue
                if before is _ABSENT:
                    delattr(holder, name)
                else:
                    setattr(holder, name, before)

    def _see(self, module: ModuleType) -> None:
        """
        Take our place in a module that is there now.
        """
        with self.lock:
            if not self._is_open:
                return
            if module.__name__ in PICKLERS:
                self._tap(getattr(module, PICKLERS[module.__name__], None))
            elif hasattr(module, "dump") and not self._is_ours(module, "dump"):
                self._tap_dump(module, DUMPERS[module.__name__])

    def _tap(self, pickler: Any) -> None:
        """
        Take our place in a class of picklers.
        """
        if pickler is None or self._is_ours(pickler, "reducer_override"):
            return
        # Local names: this runs for every object that is not a plain value.
        begin, get, views = self._begin, self._gives.get, self._views
        dump_before = pickler.dump
        override_before = getattr(pickler, "reducer_override", _decline)

        def dump(self: Any, obj: Any) -> Any:
            begin()
            self._duck_views = views()
            try:
                return dump_before(self, obj)
            finally:
                vars(self).pop("_duck_views", None)

        def reducer_override(self: Any, obj: Any) -> Any:
            found = get(id(obj))
            if found is not None:
                reduced = found[1]()
            else:
                # None too where the pickle was begun before this method was placed.
                seen = vars(self).get("_duck_views")
                reduced = NotImplemented if seen is None else seen.reduce(obj)
            if reduced is not NotImplemented:
                return reduced
            return override_before(self, obj)

        self._place(pickler, "dump", dump)
        self._place(pickler, "reducer_override", reducer_override)

    def _tap_dump(self, module: ModuleType, pickler: str) -> None:
        """
        Take our place in a module that makes its class of picklers anew.
        """
        dump_before = module.dump

        def dump(*args: Any, **kwargs: Any) -> Any:
            with self.lock:
                if self._is_open:
                    self._tap(getattr(module, pickler, None))
            return dump_before(*args, **kwargs)

        self._place(module, "dump", dump)

    def _place(self, holder: Any, name: str, ours: Any) -> None:
        # Noted first: whatever happens in between, `close` finds it.
        self._placed.append((holder, name, ours, vars(holder).get(name, _ABSENT)))
        setattr(holder, name, ours)

    def _is_ours(self, holder: Any, name: str) -> bool:
        present = vars(holder).get(name)
        return any(present is ours for _, _, ours, _ in self._placed)


def _decline(pickler: Any, obj: Any) -> Any:
    """
    Leave an object to the pickler, as a class without ``reducer_override`` does.
    """
    return NotImplemented
