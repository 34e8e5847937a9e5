"""
The fixed list of special methods that a proxy passes on.

A name with two leading underscores that is not in this list never leaves the
process. Which of them a type has is a few bytes, a bit for each name, in the order of
this list, and then a bit for each of its `traits`; the order is part of the protocol.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

from .traits import TRAITS, traits_of

__all__ = [
    "BINARY",
    "BY_HAND",
    "COMPARISONS",
    "DESCRIBING",
    "FIRST_BATCH",
    "INPLACE",
    "SPECIAL_NAMES",
    "UNARY",
    "bits_of",
    "names_in",
]

#: Items of a sequence that come with the iterator itself.
FIRST_BATCH = 64

BINARY = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow"),
    *("lshift", "rshift", "and", "xor", "or"),
)
INPLACE = tuple(name for name in BINARY if name != "divmod")
COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")
#: Methods without arguments whose result is a value.
UNARY = (
    *("neg", "pos", "abs", "invert", "int", "float", "complex", "index", "trunc"),
    *("floor", "ceil", "hash", "bool", "len", "length_hint", "bytes", "fspath"),
)
OTHER = (
    *("round", "format", "getitem", "setitem", "delitem", "contains", "iter", "next"),
    *("reversed", "call", "dir", "enter", "exit"),
    *("await", "aiter", "anext", "aenter", "aexit", "array", "arrow_c_stream"),
    "buffer",
)

SPECIAL_NAMES: tuple[str, ...] = tuple(
    f"__{name}__"
    for name in (
        *BINARY,
        *(f"r{name}" for name in BINARY),
        *(f"i{name}" for name in INPLACE),
        *COMPARISONS,
        *UNARY,
        *OTHER,
    )
)

#: What an object says of itself. These are read of the object, and not of its proxy.
DESCRIBING = frozenset({"__doc__", "__module__", "__name__", "__qualname__"})
#: Methods that people call by hand, and Python never through a proxy.
BY_HAND = frozenset({"__getstate__", "__init__", "__missing__", "__setstate__"})

#: Python itself falls back on the second where a type lacks the first.
FALLBACKS = (
    ("__iter__", "__getitem__"),
    ("__contains__", "__iter__"),
    ("__reversed__", "__getitem__"),
    ("__bytes__", "__buffer__"),
    *((f"__r{name}__", f"__{name}__") for name in BINARY),
)

#: Classes of C have the slot as a name, and classes of Python may define it (PEP 688).
BUFFERS_ARE_NAMED = sys.version_info >= (3, 12)

BITS = (*SPECIAL_NAMES, *TRAITS)

_bits: weakref.WeakKeyDictionary[type, bytes] = weakref.WeakKeyDictionary()


def bits_of(target: Any) -> bytes:
    """
    Return which special methods and traits the type of an object has.
    """
    kind = type(target)
    bits = _bits.get(kind)
    if bits is None:
        # Not getattr, which finds what the type of the type has: __call__, __or__.
        known = {
            name: value
            for base in kind.__mro__[::-1]
            for name, value in vars(base).items()
        }
        has = {name for name in SPECIAL_NAMES if known.get(name) is not None}
        if not BUFFERS_ARE_NAMED and _has_buffer(target):
            has.add("__buffer__")
        for name, other in FALLBACKS:
            # A name set to None says that the type refuses.
            if other in has and name not in known:
                has.add(name)
        has |= traits_of(kind, known)
        number = sum(1 << i for i, name in enumerate(BITS) if name in has)
        bits = _bits[kind] = number.to_bytes(len(BITS) // 8 + 1, "big")
    return bits


def names_in(bits: bytes) -> frozenset[str]:
    """
    Return the names and traits whose bits are set.
    """
    number = int.from_bytes(bits, "big")
    return frozenset(name for i, name in enumerate(BITS) if number >> i & 1)


def _has_buffer(target: Any) -> bool:
    try:
        memoryview(target)
    except TypeError:
        return False
    except Exception:  # what this object refuses, another one of its type may give
        return True
    return True
