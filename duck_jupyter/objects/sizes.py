"""
Sizes of objects in words, where they can be told at once.
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

#: Tells the size of an object in words.
Sizer = Callable[[Any], str]

#: What is counted in them. Their own ``__len__`` is asked, whatever a subclass says.
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
    Give the size of an object in words: ``336,776 x 19``, ``12 keys``, or nothing.

    Only types are asked that are known to answer at once.
    """
    sizer = sizer_of(type(value))
    return "" if sizer is None else sizer(value)


def sizer_of(kind: type) -> Sizer | None:
    """
    Give what tells the size of objects of a type, as `size_of` does, or None.
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
        # A subclass may have broken what its library's code relies on.
        return ""
