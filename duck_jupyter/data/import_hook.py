"""
Hearing of an import: a function is called with each module that is imported later.

It finds nothing itself and changes no import: the other finders do their work, and the
loader they found tells us once when it has run.
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
    Tells when one of some modules was imported.

    Between `start` and `stop` it stands first in ``sys.meta_path``.

    Args:
        names: The full names of the modules.
        then: Called with each module, in the importing thread, when all of it has run.
            It must not raise.
    """

    def __init__(
        self, names: Iterable[str], then: Callable[[ModuleType], object]
    ) -> None:
        self._names = frozenset(names)
        self._then = then
        # What is being looked for now, and by which thread.
        self._asking: set[tuple[int, str]] = set()

    def start(self) -> None:
        """
        Listen from now on; again is fine.
        """
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """
        Listen no longer; again is fine.
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
        Let the other finders find a module, and listen to its loader.
        """
        key = (threading.get_ident(), fullname)
        if fullname not in self._names or key in self._asking:
            # Another finder of our kind may ask us in its turn.
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
            # Finders of old have no such method, and the import system skips them too.
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
                # The loader is again what it was.
                del loader.exec_module
            execute(module)
            if module.__name__ == fullname:
                self._then(module)

        name = "exec_module"
        try:
            loader.exec_module = exec_module
        except (AttributeError, TypeError):
            # A loader that cannot be listened to loads its module all the same.
            return
