"""
The functions and classes that belong to a notebook, and their names there.
"""

from __future__ import annotations

import functools
import sys
from types import FunctionType
from typing import Any

__all__ = ["CACHED", "has_own_globals", "is_of_module", "is_own", "path_of"]

#: The type of a function with `functools.lru_cache`.
CACHED = type(functools.lru_cache(lambda: None))

_CODE = (FunctionType, type, CACHED)

#: Set in the flags of a class that Python code has made (Py_TPFLAGS_HEAPTYPE).
_HEAP_TYPE = 1 << 9


def is_own(value: Any) -> bool:
    """
    Return whether a value is a function or class that a worker cannot import.
    """
    if type(value) is FunctionType:
        # Of each task: what most are, importable ones, is told first.
        home = sys.modules.get(value.__module__)
        if (
            getattr(home, "__dict__", None) is value.__globals__
            and value.__module__ != "__main__"
        ):
            return "<locals>" in value.__qualname__
    elif not isinstance(value, _CODE):
        return False
    if getattr(value, "__module__", None) == "__main__":
        return True
    return "<locals>" in getattr(value, "__qualname__", "") or _is_of_dict(value)


def is_of_module(value: Any) -> bool:
    """
    Return whether a function of an importable module has made a function or class.

    cloudpickle sends it by value, with the present globals of its module.
    """
    return (
        isinstance(value, _CODE)
        and getattr(value, "__module__", None) not in (None, "__main__")
        and "<locals>" in getattr(value, "__qualname__", "")
    )


def has_own_globals(value: Any) -> bool:
    """
    Return whether the globals of a function are a dict that is no module's.

    ``exec`` and ``eval`` take such a dict, and ``%run`` makes one.
    """
    inner = value.__wrapped__ if isinstance(value, CACHED) else value
    if type(inner) is not FunctionType:
        return False
    namespace = inner.__globals__
    module = sys.modules.get(namespace.get("__name__", ""))
    return getattr(module, "__dict__", None) is not namespace


def _is_of_dict(value: Any) -> bool:
    """
    Return whether code has defined a value that ran in a dict of the user's own.
    """
    name = getattr(value, "__module__", None)
    if isinstance(value, type):
        # Such a class is said to be a built-in one, or of a module that is none.
        is_made = bool(value.__flags__ & _HEAP_TYPE)
        if not is_made or (name != "builtins" and name in sys.modules):
            return False
    elif not has_own_globals(value):
        return False
    # Libraries make functions in this way, too, and workers can import these.
    found: Any = sys.modules.get(name) if isinstance(name, str) else None
    for step in getattr(value, "__qualname__", "").split("."):
        found = getattr(found, step, None)
    return found is not value


def path_of(value: Any) -> str | None:
    """
    Return the name under which ``__main__`` has a function or class, or None.
    """
    if not isinstance(value, _CODE) or getattr(value, "__module__", "") != "__main__":
        return None
    path: str = getattr(value, "__qualname__", "<")
    if "<" in path:
        # A lambda may be bound to a name that it does not have itself.
        return None
    top, *rest = path.split(".")
    found = sys.modules["__main__"].__dict__.get(top)
    for step in rest:
        found = getattr(found, step, None)
    return path if found is value else None
