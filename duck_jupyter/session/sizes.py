"""
Sizes in words: of objects, where they can be told at once, and of memory.
"""

from __future__ import annotations

import array
import collections
import sys
from typing import Any

__all__ = ["in_bytes", "size_of"]

#: Their own ``__len__`` is asked, whatever a subclass says.
_COUNTED: tuple[type, ...] = (
    list,
    tuple,
    dict,
    set,
    frozenset,
    str,
    bytes,
    bytearray,
    range,
    collections.deque,
    array.array,
)
_SHAPED = {
    "numpy": ("ndarray",),
    "pandas": ("DataFrame", "Series", "Index"),
    "polars": ("DataFrame", "Series"),
    "pyarrow": ("Table",),
}


def size_of(value: Any) -> str:
    """
    Give the size of an object in words, such as ``336,776 x 19``, or an empty string.

    Only types are asked that are known to answer at once.
    """
    kind = type(value)
    for counted in _COUNTED:
        if issubclass(kind, counted):
            return f"{counted.__len__(value):,}"  # type: ignore[attr-defined]
    for library, names in _SHAPED.items():
        # Who never imported the library has no object of it.
        module = sys.modules.get(library)
        for name in names if module is not None else ():
            shaped = getattr(module, name, None)
            if isinstance(shaped, type) and issubclass(kind, shaped):
                return _shape_of(shaped, value)
    return ""


def _shape_of(shaped: Any, value: Any) -> str:
    try:
        shape = shaped.shape.__get__(value, type(value))
        return " x ".join(f"{length:,}" for length in shape)
    except Exception:
        # A subclass may have broken what its library's code relies on.
        return ""


def in_bytes(count: int) -> str:
    """
    Write a number of bytes with at most three figures and a unit.
    """
    if count < 1024:
        return f"{count} B"
    size = float(count)
    for unit in ("KB", "MB", "GB", "TB"):
        size /= 1024
        if size < 1000 or unit == "TB":
            break
    digits = 2 if size < 10 else 1 if size < 100 else 0
    return f"{size:.{digits}f} {unit}"
