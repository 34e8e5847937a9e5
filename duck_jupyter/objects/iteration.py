"""
Iterators over objects: for a builtin container, over its state at one moment.

A worker takes items in batches, and others may change the container between two
batches. So the iterator uses a copy. Any other object is iterated live.

One call of ``list`` makes the copy. The container's C iterator goes from item to item
without a step of Python code: the interpreter's lock keeps other threads out, and in
free-threaded builds the container's own lock does. Two kinds of code can still run: up
to Python 3.11 the garbage collector may run destructors in between, and an OrderedDict
calls the hashes of its keys. The container detects a change then, and the copy is made
again.
"""

from __future__ import annotations

import contextlib
from array import array
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["iterate", "iterate_back"]

#: A copy takes microseconds to milliseconds, so it will not meet a change each time.
ATTEMPTS = 100


def _slicing(kind: Any) -> Callable[[Any], Any]:
    return lambda target: kind.__getitem__(target, slice(None))


def _kinds() -> dict[type, Callable[[Any], Any]]:
    """
    Return the types whose iterators run in C, and how to copy such a container.
    """
    builtin = (list, dict, set, deque, OrderedDict)
    kinds: dict[type, Callable[[Any], Any]] = dict.fromkeys(builtin, list)
    mappings: tuple[dict[Any, Any], ...] = ({}, OrderedDict())
    for mapping in mappings:
        for view in (mapping.keys(), mapping.values(), mapping.items()):
            kinds[type(view)] = list
    # A list of their items would take many times their memory.
    return kinds | {kind: _slicing(kind) for kind in (bytearray, array)}


#: Keyed by the method itself, which subclasses inherit.
COPIES: dict[Any, Callable[[Any], Any]] = {
    kind.__iter__: copy for kind, copy in _kinds().items() if hasattr(kind, "__iter__")
}
#: A set has no such method; a bytearray and an array are sequences without their own.
COPIES_BACK: dict[Any, Callable[[Any], Any]] = {
    kind.__reversed__: copy
    for kind, copy in _kinds().items()
    if hasattr(kind, "__reversed__")
}


def iterate(target: Any) -> Iterator[Any]:
    """
    Return an iterator over an object.

    Raises:
        BaseException: Raised by the object.
    """
    copy = COPIES.get(getattr(type(target), "__iter__", None))
    return iter(target if copy is None else _copied(target, copy))


def iterate_back(target: Any) -> Iterator[Any]:
    """
    Return an iterator over an object from its end; raises like `iterate`.
    """
    copy = COPIES_BACK.get(getattr(type(target), "__reversed__", None))
    found: Iterator[Any] = reversed(target if copy is None else _copied(target, copy))
    return found


def _copied(target: Any, copy: Callable[[Any], Any]) -> Any:
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(RuntimeError):  # it changed in between
            return copy(target)
    return copy(target)
