"""
Iterators over objects: of a builtin container, over its state at one moment.

A worker takes items in batches, and others change the container between two of them. So
it goes through a copy. Anything else is iterated live.

The copy is made by one call of ``list``, and the iterator in C that it runs goes from
item to item without a step of Python code: under the interpreter's lock no other thread
comes in between, and without that lock (free-threaded builds) the container's own lock
does the same. There are two ways in all the same: up to Python 3.11 the garbage
collector may run destructors in the middle, and an OrderedDict asks its keys for their
hashes. The container notices a change then, and the copy is made anew.
"""

from __future__ import annotations

import contextlib
from array import array
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["iterate", "iterate_back"]

#: A copy is made in microseconds to milliseconds; it cannot meet a change each time.
ATTEMPTS = 100


def _slicing(kind: Any) -> Callable[[Any], Any]:
    return lambda target: kind.__getitem__(target, slice(None))


def _kinds() -> dict[type, Callable[[Any], Any]]:
    """
    Give the types whose iterators run in C, and what makes a copy of such a container.
    """
    builtin = (list, dict, set, deque, OrderedDict)
    kinds: dict[type, Callable[[Any], Any]] = dict.fromkeys(builtin, list)
    mappings: tuple[dict[Any, Any], ...] = ({}, OrderedDict())
    for mapping in mappings:
        for view in (mapping.keys(), mapping.values(), mapping.items()):
            kinds[type(view)] = list
    # A list of their items would take many times their memory.
    return kinds | {kind: _slicing(kind) for kind in (bytearray, array)}


#: By the method itself, which also a class has that inherits it.
COPIES: dict[Any, Callable[[Any], Any]] = {
    kind.__iter__: copy for kind, copy in _kinds().items() if hasattr(kind, "__iter__")
}
#: A set has none; a bytearray and an array are sequences without one of their own.
COPIES_BACK: dict[Any, Callable[[Any], Any]] = {
    kind.__reversed__: copy
    for kind, copy in _kinds().items()
    if hasattr(kind, "__reversed__")
}


def iterate(target: Any) -> Iterator[Any]:
    """
    Give an iterator over an object.

    Raises:
        BaseException: Whatever the object raises.
    """
    copy = COPIES.get(getattr(type(target), "__iter__", None))
    return iter(target if copy is None else _copied(target, copy))


def iterate_back(target: Any) -> Iterator[Any]:
    """
    Give an iterator over an object from its end; raises as `iterate`.
    """
    copy = COPIES_BACK.get(getattr(type(target), "__reversed__", None))
    found: Iterator[Any] = reversed(target if copy is None else _copied(target, copy))
    return found


def _copied(target: Any, copy: Callable[[Any], Any]) -> Any:
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(RuntimeError):  # it changed in the middle
            return copy(target)
    return copy(target)
