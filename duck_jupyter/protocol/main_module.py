"""
Classes and functions of ``__main__``: from a notebook's cells, or from a script.

A spawned worker cannot import them. They are sent by name together with their
definition. If the other side has the name (a forked worker, a script), it uses its own
object, so that ``except MyError`` catches an error of the kernel; otherwise it uses the
definition.
"""

from __future__ import annotations

import sys
import weakref
from types import FunctionType
from typing import Any

__all__ = ["is_of_main", "reduce_of_main"]

MAIN_MODULES = frozenset({"__main__", "__mp_main__"})

_definitions: weakref.WeakKeyDictionary[Any, bytes] = weakref.WeakKeyDictionary()


def is_of_main(value: Any) -> bool:
    """
    Return whether a class or function was defined at the top of ``__main__``.
    """
    return (
        isinstance(value, (type, FunctionType))
        and value.__module__ in MAIN_MODULES
        and "<" not in value.__qualname__
    )


def reduce_of_main(value: Any) -> tuple[Any, ...]:
    """
    Return the reduced form of a class or function for which `is_of_main` holds.
    """
    definition = _definitions.get(value)
    if definition is None:
        import cloudpickle  # slow to import, and only needed here

        definition = _definitions[value] = cloudpickle.dumps(value)
    return _rebuild, (value.__qualname__, isinstance(value, type), definition)


def _rebuild(qualname: str, is_class: bool, definition: bytes) -> Any:
    found: Any = sys.modules.get("__main__")
    for name in qualname.split("."):
        found = getattr(found, name, None)
    if isinstance(found, type if is_class else FunctionType):
        return found
    import cloudpickle  # slow to import, and only needed here

    return cloudpickle.loads(definition)
