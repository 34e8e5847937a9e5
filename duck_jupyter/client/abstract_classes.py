"""
Base classes that register proxies as mappings, sequences and sets.

``isinstance`` and ``match`` check the class of a proxy. So the class gets a base for
each abstract class of `collections.abc` that the type of its object belongs to. The
bases are registered once, because each registration empties the caches of all abstract
classes.
"""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import MutableSequence, Sequence
from typing import TYPE_CHECKING, Any

from ..protocol.traits import ABSTRACT, MATCHED, SEQUENCE_FLAG

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

__all__ = ["bases_for"]


class _Unmatched:
    """
    The base for proxies of str, bytes and bytearray.

    These are sequences, but no pattern matches their items. Registering a class with
    `Sequence` would also mark it for patterns, so a subclass hook answers instead.
    """

    __slots__ = ()


class _UnmatchedMutable(_Unmatched):
    """
    The base for proxies of bytearray.
    """

    __slots__ = ()


class _Sequences(Sequence[Any]):
    """
    Holds only the hook that `Sequence` calls.
    """

    @classmethod
    def __subclasshook__(cls, other: type) -> Any:
        return True if issubclass(other, _Unmatched) else NotImplemented


class _MutableSequences(MutableSequence[Any]):
    """
    Holds only the hook that `MutableSequence` calls.
    """

    @classmethod
    def __subclasshook__(cls, other: type) -> Any:
        return True if issubclass(other, _UnmatchedMutable) else NotImplemented


class _Patterns(metaclass=ABCMeta):  # noqa: B024 - nothing is derived from it
    """
    Marks registered classes for patterns of sequences; it does nothing else.
    """

    __abc_tpflags__ = SEQUENCE_FLAG


def _registered(name: str, abstract: Any) -> type:
    base = type(f"_{name}", (), {"__slots__": (), "__module__": __name__})
    abstract.register(base)
    return base


_BASES = {name: _registered(name, abstract) for name, abstract in ABSTRACT.items()}
_MATCHED_ALONE = _registered("MatchedAlone", _Patterns)
_UNMATCHED: dict[str, type] = {
    "Sequence": _Unmatched,
    "MutableSequence": _UnmatchedMutable,
}


def bases_for(told: AbstractSet[str]) -> tuple[type, ...]:
    """
    Return the bases for the class of proxies of a type.

    Args:
        told: The special methods and traits of the type.
    """
    if MATCHED in told and not {"Mapping", "Sequence"} & told:
        return (_MATCHED_ALONE,)
    bases = _BASES if MATCHED in told else {**_BASES, **_UNMATCHED}
    # A mutable class comes first: it is derived from the immutable one.
    return tuple(bases[name] for name in reversed(ABSTRACT) if name in told)
