"""
The special methods of proxies.

Python looks them up on the type, never on the object, so each set of special methods
has its own class.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..protocol.references import MethodMark
from ..protocol.special_methods import BINARY, COMPARISONS, FIRST_BATCH, INPLACE, UNARY
from .array_protocols import array_method, arrow_method
from .buffers import LENDS_BUFFERS, buffer_method

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    Call = Callable[..., Any]
    Method = Callable[..., Any]

__all__ = ["special_methods"]

#: Number of items in one request.
MOST_BATCH = 4096


def special_methods(call: Call) -> dict[str, Callable[..., Any]]:
    """
    Make the special methods that call the object.

    Args:
        call: ``call(proxy, name, *args, **kwargs)`` runs a special method of the
            proxy's object.

    Returns:
        Methods by name, for all of `SPECIAL_NAMES` except those of `Proxy` itself and
        those that this Python does not know.
    """
    methods: dict[str, Callable[..., Any]] = {}
    for name in (*UNARY, *COMPARISONS, *BINARY, *(f"r{name}" for name in BINARY)):
        methods[f"__{name}__"] = _passing(call, f"__{name}__")
    for name in ("format", "round", "delitem", "contains"):
        methods[f"__{name}__"] = _passing(call, f"__{name}__")
    for name in INPLACE:
        methods[f"__i{name}__"] = _inplace(call, f"__i{name}__")
    methods["__call__"] = _calling(call)
    methods["__next__"] = _passing(call, "__next__")
    methods["__iter__"] = _iterating(call, "__iter__")
    methods["__reversed__"] = _iterating(call, "__reversed__")
    methods["__array__"] = _named(array_method(call), "__array__")
    methods["__arrow_c_stream__"] = _named(arrow_method(call), "__arrow_c_stream__")
    if LENDS_BUFFERS:
        methods["__buffer__"] = _named(buffer_method(call), "__buffer__")
    methods["__await__"] = _awaiting(call)
    for name in ("aiter", "anext", "aenter", "aexit"):
        methods[f"__{name}__"] = _asynchronous(call, f"__{name}__")
    methods["__aiter__"] = _self_of_aiter(call)
    return methods


def _passing(call: Call, name: str) -> Method:
    def method(self: Any, *args: Any) -> Any:
        return call(self, name, *args)

    return _named(method, name)


def _named(method: Any, name: str) -> Method:
    method.__name__ = name
    method.__qualname__ = f"Proxy.{name}"
    found: Method = method
    return found


def _inplace(call: Call, name: str) -> Method:
    def method(self: Any, *args: Any) -> Any:
        value = call(self, name, *args)
        # The object changed itself: the variable keeps its proxy.
        return self if type(value) is MethodMark else value

    return _named(method, name)


def _calling(call: Call) -> Method:
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return call(self, "__call__", *args, **kwargs)

    return _named(method, "__call__")


def _iterating(call: Call, name: str) -> Method:
    def method(self: Any) -> Any:
        found = call(self, name)
        if type(found) is MethodMark:
            return self  # an iterator: every next() is a call
        if type(found) is not tuple:
            return iter(found)  # in the server's own process
        if not found[0]:
            return iter(found[1])  # these are all items
        batches = _batches(self._duck_link, *found)
        # Start it now, so that it releases the iterator even if no item is read.
        next(batches)
        return batches

    return _named(method, name)


def _batches(link: Any, idx: int, items: list[Any], many: bool) -> Iterator[Any]:
    """
    Yield None, then the items, and request more when these are used up.

    Args:
        link: The link to the server.
        idx: The number of the iterator there; 0 when it is used up.
        items: Its first items.
        many: Whether a request may take more than one item.
    """
    size = FIRST_BATCH if many else 1
    if idx:
        link.hold()
    try:
        yield None
        while True:
            yield from items
            if not idx:
                return
            size = min(size * 4, MOST_BATCH) if many else 1
            idx, items = link.desk("batch", idx, size)
    finally:
        if idx:
            link.drop(idx)


def _awaiting(call: Call) -> Method:
    def method(self: Any) -> Generator[Any, Any, Any]:
        if self._duck_link.server is not None:
            return (yield from call(self, "__await__"))
        loop = asyncio.get_running_loop()
        # A thread waits for the kernel, so that this loop continues.
        waiting = loop.run_in_executor(None, call, self, "__await__")
        return (yield from waiting.__await__())

    return _named(method, "__await__")


def _asynchronous(call: Call, name: str) -> Callable[..., Any]:
    async def method(self: Any, *args: Any) -> Any:
        if self._duck_link.server is not None:
            value = await call(self, name, *args)
        else:
            loop = asyncio.get_running_loop()
            value = await loop.run_in_executor(None, call, self, name, *args)
        return self if type(value) is MethodMark else value

    return _named(method, name)


def _self_of_aiter(call: Call) -> Method:
    def method(self: Any) -> Any:
        value = call(self, "__aiter__")
        return self if type(value) is MethodMark else value

    return _named(method, "__aiter__")
