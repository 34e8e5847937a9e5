"""
The hooks in the pickler classes of pools, which pickle for workers only.

`Taps` inserts the hooks and removes them. It does not know what is handed over: it
looks each object up, and passes all others to `Views`. Both pickle and cloudpickle call
the method ``reducer_override`` before all registered reducers, including joblib's for
arrays; objects that it declines are pickled as usual. It is never called for exact
dicts, lists, tuples, sets, strings and numbers.

- multiprocessing and concurrent.futures: ``ForkingPickler``.
- joblib's backend "multiprocessing": ``CustomizablePickler`` in joblib.pool.
- loky, and the copy of it in joblib: ``set_loky_pickler`` makes a new class each time,
  so we replace the function ``dump``, which then hooks the present class.
"""

from __future__ import annotations

import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .import_hook import ImportWatch
from .replacements import Replacements

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .views import Views

    Gives = dict[int, tuple[Any, Callable[[], Any]]]
    Reducers = list[Callable[[Any, Any], Any]]

__all__ = ["Taps"]

#: Modules with a pickler class, and its name.
PICKLERS = {
    "multiprocessing.reduction": "ForkingPickler",
    "joblib.pool": "CustomizablePickler",
}
#: Modules whose function ``dump`` uses the pickler class that they have at that time.
DUMPERS = {
    "loky.backend.reduction": "_LokyPickler",
    "joblib.externals.loky.backend.reduction": "_LokyPickler",
}


def _ignore(obj: Any, error: Exception) -> None:
    """
    Say no more about an error than pickle does.
    """


class Taps:
    """
    Our hooks in the picklers of all pools, also of those that are imported later.

    Args:
        begin: Called when something will be pickled.
        gives: By id: an object, which lives at least as long as its entry, and a
            function that returns a reduced form or NotImplemented. All other objects
            are pickled as usual.
        views: Returns an object that finds the parts of shared objects in one pickle,
            or None.
        reducers: Asked in their order about all other objects, with the pickler and
            the object; each returns a reduced form or NotImplemented.
        failed: Called with an object that could not be pickled, and the error.
    """

    def __init__(
        self,
        begin: Callable[[], object],
        gives: Gives,
        views: Callable[[], Views | None],
        reducers: Reducers,
        failed: Callable[[Any, Exception], object] = _ignore,
    ) -> None:
        self._begin = begin
        self._gives = gives
        self._views = views
        self._reducers = reducers
        self._failed = failed
        self._replaced = Replacements()
        self._watch = ImportWatch([*PICKLERS, *DUMPERS], self._see)
        self._is_open = False
        #: The classes with our hooks, on which others may have put theirs since then.
        self._tapped: weakref.WeakSet[Any] = weakref.WeakSet()
        #: Protects the changes of the classes.
        self.lock: threading.RLock = threading.RLock()

    def open(self) -> None:
        """
        Insert the hooks. Repeated calls do nothing.
        """
        with self.lock:
            if self._is_open:
                return
            self._is_open = True
            # First the import hook: a module that is imported meanwhile is seen twice,
            # and hooked once.
            self._watch.start()
            for name in (*PICKLERS, *DUMPERS):
                module = sys.modules.get(name)
                if module is not None:
                    self._see(module)

    def close(self) -> None:
        """
        Restore everything. Repeated calls do nothing.
        """
        with self.lock:
            self._is_open = False
            self._watch.stop()
            # Other code that replaced a hook later may call it; now it declines all.
            self._replaced.restore()
            self._tapped.clear()

    def _see(self, module: ModuleType) -> None:
        """
        Insert the hooks in a module that now exists.
        """
        with self.lock:
            if not self._is_open:
                return
            if module.__name__ in PICKLERS:
                self._tap(getattr(module, PICKLERS[module.__name__], None))
            elif hasattr(module, "dump") and not self._replaced.has(module, "dump"):
                self._tap_dump(module, DUMPERS[module.__name__])

    def _tap(self, pickler: Any) -> None:
        """
        Insert the hook in a pickler class.
        """
        if pickler is None or pickler in self._tapped:
            return
        # Local names, because this runs for every object that is not a plain value.
        begin, get, views = self._begin, self._gives.get, self._views
        reducers, failed = self._reducers, self._failed
        dump_before = pickler.dump
        override_before = getattr(pickler, "reducer_override", _decline)

        def dump(self: Any, obj: Any) -> Any:
            begin()
            self._duck_views = views()
            try:
                return dump_before(self, obj)
            except Exception as error:  # whatever the object's own code raises
                failed(obj, error)
                raise
            finally:
                vars(self).pop("_duck_views", None)

        def reducer_override(self: Any, obj: Any) -> Any:
            found = get(id(obj))
            if found is not None:
                reduced = found[1]()
            else:
                # Also None if the pickle was begun before this method was inserted.
                seen = vars(self).get("_duck_views")
                reduced = NotImplemented if seen is None else seen.reduce(obj)
            if reduced is not NotImplemented:
                return reduced
            for reducer in reducers:
                reduced = reducer(self, obj)
                if reduced is not NotImplemented:
                    return reduced
            return override_before(self, obj)

        self._replaced.put(pickler, "dump", dump)
        self._replaced.put(pickler, "reducer_override", reducer_override)
        self._tapped.add(pickler)

    def _tap_dump(self, module: ModuleType, pickler: str) -> None:
        """
        Replace ``dump`` in a module that makes new pickler classes.
        """
        dump_before = module.dump

        def dump(*args: Any, **kwargs: Any) -> Any:
            with self.lock:
                if self._is_open:
                    self._tap(getattr(module, pickler, None))
            return dump_before(*args, **kwargs)

        self._replaced.put(module, "dump", dump)


def _decline(pickler: Any, obj: Any) -> Any:
    """
    Leave an object to the pickler, like a class without ``reducer_override``.
    """
    return NotImplemented
