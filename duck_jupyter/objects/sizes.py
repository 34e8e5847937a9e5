"""
Sizes of objects as text, if the size is known at once.
"""

from __future__ import annotations

import array
import collections
from collections.abc import Callable
from functools import partial
from typing import Any

from ..stats.text import exact, many
from .summary import shaped_type

__all__ = ["Sizer", "size_of", "sizer_of"]

#: Returns the size of an object as text.
Sizer = Callable[[Any], str]

#: The unit of each type. The type's own ``__len__`` counts, even for a subclass.
_COUNTED: dict[type, str] = {
    list: "item",
    tuple: "item",
    dict: "key",
    set: "item",
    frozenset: "item",
    str: "character",
    bytes: "byte",
    bytearray: "byte",
    range: "item",
    collections.deque: "item",
    array.array: "item",
}


def size_of(value: Any) -> str:
    """
    Return the size of an object as text: ``336,776 x 19``, ``12 keys``, or "".

    Only types that are known to answer at once are asked.
    """
    sizer = sizer_of(type(value))
    return "" if sizer is None else sizer(value)


def sizer_of(kind: type) -> Sizer | None:
    """
    Return the function that writes the size of objects of a type, or None.
    """
    for counted, unit in _COUNTED.items():
        if issubclass(kind, counted):
            return partial(_count_in, counted, unit)
    shaped = shaped_type(kind)
    return None if shaped is None else partial(_shape_of, shaped)


def _count_in(counted: Any, unit: str, value: Any) -> str:
    return many(counted.__len__(value), unit)


def _shape_of(shaped: Any, value: Any) -> str:
    try:
        shape = shaped.shape.__get__(value, type(value))
        if len(shape) == 1:
            return many(shape[0], "item")
        return " x ".join(exact(length) for length in shape)
    except Exception:
        # A subclass may have broken an assumption of its library's code.
        return ""
