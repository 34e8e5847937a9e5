"""
The fixed list of special methods that proxies support.

A name with two leading underscores that is not in this list is never sent. The special
methods of a type are encoded in a few bytes: one bit for each name, in the order of
this list, and then one bit for each of its `traits`. The order is part of the protocol.
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

#: Number of items of a sequence that are sent with the iterator.
FIRST_BATCH = 64

BINARY = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow"),
    *("lshift", "rshift", "and", "xor", "or"),
)
INPLACE = tuple(name for name in BINARY if name != "divmod")
COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")
#: Methods without arguments that return a value.
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

#: Attributes that describe the object. They are read from the object, not from its
#: proxy.
DESCRIBING = frozenset({"__doc__", "__module__", "__name__", "__qualname__"})
#: Methods that users call directly, and that Python never calls through a proxy.
BY_HAND = frozenset({"__getstate__", "__init__", "__missing__", "__setstate__"})

#: Python itself uses the second one if a type lacks the first.
FALLBACKS = (
    ("__iter__", "__getitem__"),
    ("__contains__", "__iter__"),
    ("__reversed__", "__getitem__"),
    ("__bytes__", "__buffer__"),
    *((f"__r{name}__", f"__{name}__") for name in BINARY),
)

#: C classes have the slot as a name, and Python classes may define it (PEP 688).
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
        # Not getattr, which also finds the methods of the metaclass: __call__, __or__.
        known = {
            name: value
            for base in kind.__mro__[::-1]
            for name, value in vars(base).items()
        }
        has = {name for name in SPECIAL_NAMES if known.get(name) is not None}
        if not BUFFERS_ARE_NAMED and _has_buffer(target):
            has.add("__buffer__")
        for name, other in FALLBACKS:
            # A name that is set to None means that the type refuses.
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
    except Exception:  # another object of the type may still allow it
        return True
    return True
