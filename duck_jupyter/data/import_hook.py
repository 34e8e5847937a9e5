"""
An import hook: it calls a function with each of some modules that is imported later.

It finds no modules itself and changes no import: the other finders find the module, and
their loader calls the hook once after it has run.
"""

from __future__ import annotations

import sys
import threading
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["ImportWatch"]


class ImportWatch(MetaPathFinder):
    """
    Calls a function when one of some modules was imported.

    Between `start` and `stop` it is the first finder in ``sys.meta_path``.

    Args:
        names: The full names of the modules.
        then: Called with each module, in the importing thread, after the module has
            run. It must not raise.
    """

    def __init__(
        self, names: Iterable[str], then: Callable[[ModuleType], object]
    ) -> None:
        self._names = frozenset(names)
        self._then = then
        # The modules that are being searched now, and the searching threads.
        self._asking: set[tuple[int, str]] = set()

    def start(self) -> None:
        """
        Start the hook. Repeated calls do nothing.
        """
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """
        Stop the hook. Repeated calls do nothing.
        """
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """
        Let the other finders find a module, and hook its loader.
        """
        key = (threading.get_ident(), fullname)
        if fullname not in self._names or key in self._asking:
            # Another finder of this kind may call us in turn.
            return None
        self._asking.add(key)
        try:
            spec = self._ask_others(fullname, path, target)
        finally:
            self._asking.discard(key)
        if spec is not None and spec.loader is not None:
            self._listen(fullname, spec.loader)
        return spec

    def _ask_others(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            # Old finders have no such method; the import system skips them too.
            find_spec = getattr(finder, "find_spec", None)
            if finder is self or find_spec is None:
                continue
            spec: ModuleSpec | None = find_spec(fullname, path, target)
            if spec is not None:
                return spec
        return None

    def _listen(self, fullname: str, loader: Any) -> None:
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: ModuleType) -> None:
            if module.__name__ == fullname and vars(loader).get(name) is exec_module:
                # Restore the loader.
                del loader.exec_module
            execute(module)
            if module.__name__ == fullname:
                self._then(module)

        name = "exec_module"
        try:
            loader.exec_module = exec_module
        except (AttributeError, TypeError):
            # A loader that cannot be hooked still loads its module.
            return
