"""
Reloaded modules: a worker reloads them before the task.

A function of a module goes by reference, and a worker that imported the module earlier
would run the old code. Each reload gives the module a new spec, so a reload is noticed
whatever caused it.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from .mirror import mirror

__all__ = ["Reloaded", "note_modules", "reload_here", "reloads"]

#: Name -> the spec that the module had at the last look.
_specs: dict[str, Any] = {}
#: The number of reloads since the first look, by name.
_counts: dict[str, int] = {}
#: In a worker: the number of reloads by the notebook that this process has, by name.
_here: dict[str, int] = {}


def note_modules() -> None:
    """
    Look at all imported modules.
    """
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if _specs.setdefault(name, spec) is not spec:
            _specs[name] = spec
            _counts[name] = _counts.get(name, 0) + 1


def reloads() -> dict[str, int]:
    """
    Return the number of reloads of each reloaded module.
    """
    return _counts.copy()


def reload_here(counts: dict[str, int]) -> None:
    """
    Reload, in a worker, what the notebook has reloaded more often.
    """
    for name, count in counts.items():
        if _here.get(name, 0) >= count:
            continue
        _here[name] = count
        if name in sys.modules:
            try:
                importlib.reload(sys.modules[name])
            except Exception as error:  # code of the module; the task's error
                mirror.failures.append(error)


def after_fork() -> None:
    """
    In a child, note the inherited modules.
    """
    _here.update(reloads())


class Reloaded:
    """
    A function that needs reloaded modules. It unpickles to the function.

    Args:
        counts: The result of `reloads`.
        function: The function.
    """

    __slots__ = ("_first", "function")

    def __init__(self, counts: dict[str, int], function: Any) -> None:
        self._first = _First(counts)
        self.function: Any = function

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """
        Call the function, in this process.
        """
        return self.function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return _last, (self._first, self.function)


class _First:
    """
    Reloads modules when it is unpickled, before the objects that follow it.
    """

    __slots__ = ("_counts",)

    def __init__(self, counts: dict[str, int]) -> None:
        self._counts = counts

    def __reduce__(self) -> tuple[Any, ...]:
        return reload_here, (self._counts,)


def _last(_: None, function: Any) -> Any:
    return function
