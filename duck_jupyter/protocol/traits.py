"""
Properties of an object's type that its proxy knows, besides the special methods.

A trait is one bit after those of the special methods; the order of `TRAITS` is part of
the protocol.
"""

from __future__ import annotations

from collections import abc
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ABSTRACT",
    "ANY_NAMES",
    "CONDITION",
    "LABELLED",
    "MATCHED",
    "PLAIN",
    "SEQUENCE_FLAG",
    "TRAITS",
    "YIELDING",
    "traits_of",
]

#: The public methods of a proxy. If the object has such a name, it is the object's.
YIELDING = ("close", "get_response", "get_shared_memory", "read_frame", "write_frame")
#: The type does not determine the names of an object: it has a ``__dict__``, or
#: computes attributes.
ANY_NAMES = "any names"
#: Classes that a type may belong to without inheriting from them.
ABSTRACT: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        *(abc.Mapping, abc.MutableMapping, abc.Sequence, abc.MutableSequence),
        *(abc.Set, abc.MutableSet),
    )
}
#: The type inherits from one of these.
PLAIN: dict[str, type] = {"dict": dict, "list": list, "tuple": tuple}
#: Sequence and mapping patterns of ``match`` accept its objects. They accept no str,
#: bytes or bytearray, and they accept a numpy array, which is not a sequence.
MATCHED = "matched"
#: The type is this class of pandas, or inherits from it.
LABELLED = ("Series", "DataFrame")
#: The type is one of these, or inherits from one. They are recognized without an
#: import.
CONDITION = "condition"
CONDITIONS = {("threading", "Condition"), ("multiprocessing.synchronize", "Condition")}

TRAITS: tuple[str, ...] = (
    *(*YIELDING, ANY_NAMES, *ABSTRACT),
    *(*PLAIN, MATCHED, *LABELLED, CONDITION),
)

#: ``Py_TPFLAGS_SEQUENCE`` and ``Py_TPFLAGS_MAPPING`` (PEP 634).
SEQUENCE_FLAG = 1 << 5
MAPPING_FLAG = 1 << 6
#: The ``__pandas_priority__`` of types with labels.
PANDAS_PRIORITIES: dict[Any, str] = {3000: "Series", 4000: "DataFrame"}


def traits_of(kind: type, known: Mapping[str, Any]) -> set[str]:
    """
    Return the traits of a type.

    Args:
        kind: The type.
        known: All names in the type and its base classes.
    """
    traits = {name for name in YIELDING if name in known}
    asks = isinstance(known.get("__getattribute__"), FunctionType)
    if asks or "__dict__" in known or "__getattr__" in known:
        traits.add(ANY_NAMES)
    traits |= {name for name, base in ABSTRACT.items() if issubclass(kind, base)}
    traits |= {name for name, base in PLAIN.items() if issubclass(kind, base)}
    if kind.__flags__ & (SEQUENCE_FLAG | MAPPING_FLAG):
        traits.add(MATCHED)
    label = PANDAS_PRIORITIES.get(known.get("__pandas_priority__"))
    if label is not None:
        traits.add(label)
    bases = {(base.__module__, base.__name__) for base in kind.__mro__}
    if bases & CONDITIONS:
        traits.add(CONDITION)
    return traits
