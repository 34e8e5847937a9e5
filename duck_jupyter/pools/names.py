"""
The functions and classes that belong to a notebook, and their names there.
"""

from __future__ import annotations

import functools
import sys
from types import FunctionType
from typing import Any

__all__ = ["CACHED", "is_own", "path_of"]

#: The type of a function with `functools.lru_cache`.
CACHED = type(functools.lru_cache(lambda: None))

_CODE = (FunctionType, type, CACHED)


def is_own(value: Any) -> bool:
    """
    Return whether a value is a function or class that a worker cannot import.
    """
    if not isinstance(value, _CODE):
        return False
    if getattr(value, "__module__", None) == "__main__":
        return True
    return "<locals>" in getattr(value, "__qualname__", "")


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
