"""
The buffer protocol of proxies.

From Python 3.12 on, a Python class can provide a buffer (PEP 688): ``memoryview(p)``,
``np.frombuffer(p)`` and ``b"".join([p])`` get the bytes of the fetched object. Before
3.12 they raise a TypeError with the name of the class, which says what to do.
``bytes(p)`` works in both: it calls ``__bytes__``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..errors import DataEncodeError, NoBuffer
from .fetching import fetched

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[..., Any]
    Method = Callable[..., Any]

__all__ = [
    "LENDS_BUFFERS",
    "buffer_method",
    "index_before_buffers",
    "interface_before_buffers",
    "release_buffer",
]

LENDS_BUFFERS = sys.version_info >= (3, 12)


def buffer_method(call: Call) -> Method:
    """
    Make ``__buffer__``.

    Args:
        call: As for `special_methods`.
    """

    def __buffer__(self: Any, flags: int) -> memoryview:
        if self._duck_link.server is not None:
            view: memoryview = call(self, "__buffer__", flags)
            return view
        view = _fetched_buffer(self, call)
        # An array belongs to the worker, as np.asarray(p) does. Other objects with a
        # buffer are changed through the proxy; a write to this copy would be lost.
        return view if hasattr(type(self), "__array__") else view.toreadonly()

    return __buffer__


def release_buffer(self: Any, view: memoryview) -> None:
    """
    The ``__release_buffer__`` of proxies.

    numpy keeps a view of an object that has this method. Of other objects it keeps only
    the memory, which would be freed with the view.
    """
    view.release()


def _fetched_buffer(proxy: Any, call: Call) -> memoryview:
    try:
        return memoryview(fetched(proxy))
    except DataEncodeError:
        # A memoryview and an mmap cannot be pickled, but their bytes can be sent.
        if not _items_are_bytes(proxy, call):
            raise
        return memoryview(call(proxy, "__bytes__"))


def index_before_buffers(call: Call) -> Method:
    """
    Make ``__index__`` for proxies of objects with a buffer, before Python 3.12.

    ``bytearray(p)`` calls ``__index__`` first. After a TypeError, ``bytearray`` takes
    the items as the bytes, so this raises another error unless they are.

    Args:
        call: As for `special_methods`.
    """

    def __index__(self: Any) -> Any:
        try:
            return call(self, "__index__")
        except TypeError as error:
            if _items_are_bytes(self, call):
                raise
            raise NoBuffer(
                f"A {type(self).__name__} is not an integer, and before Python 3.12 a "
                "proxy cannot give access to the bytes of its object. Copy them with "
                "bytes(p), or use the object itself: fetch(p)."
            ) from error

    return __index__


def interface_before_buffers(call: Call) -> property:
    """
    Make ``__array_interface__``, with which numpy reads a buffer before Python 3.12.

    Without it ``np.asarray(p)`` would convert the items to 64-bit integers.

    Args:
        call: As for `special_methods`.
    """

    def __array_interface__(self: Any) -> dict[str, Any]:
        import numpy as np  # numpy is the caller

        here = self._duck_link.server is not None
        view = call(self, "__buffer__", 0) if here else _fetched_buffer(self, call)
        array = np.asarray(view if here else view.toreadonly())
        # numpy keeps the view, and the view keeps the memory.
        shape, kind = array.shape, array.dtype.str
        return {"shape": shape, "typestr": kind, "data": view, "version": 3}

    return property(__array_interface__)


def _items_are_bytes(proxy: Any, call: Call) -> bool:
    try:
        length: int = call(proxy, "__len__")
    except TypeError:  # an array without dimensions
        return False
    return length == len(call(proxy, "__bytes__"))
