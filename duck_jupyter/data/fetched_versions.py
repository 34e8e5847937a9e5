"""
Versions that this process both published and fetched, by where they are mapped here.

What was fetched in the notebook is memory of a version of the notebook's own. Passed on
to a pool, it can go as a handle to that version.
"""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

from ..memory.copying import address_of

__all__ = ["Origin", "find_origin", "remember"]


class Origin(NamedTuple):
    """
    Which memory of which version an address range of this process maps.
    """

    nonce: bytes
    #: Bytes from the beginning of the version's file.
    offset: int


class _Mapped(NamedTuple):
    """
    A version that is mapped here.
    """

    #: Dead once nothing uses the mapping any more.
    buffer: weakref.ref[Any]
    start: int
    end: int
    nonce: bytes


#: By the address at which the mapping begins.
_mapped: dict[int, _Mapped] = {}


def remember(buffer: Any, nonce: bytes) -> None:
    """
    Note that a version is mapped, for as long as the mapping is in use.

    Args:
        buffer: The whole file of the version, as all that is made of it refers to it.
        nonce: The version.
    """
    start, size = address_of(buffer), len(buffer)
    _forget_unused()
    _mapped[start] = _Mapped(weakref.ref(buffer), start, start + size, nonce)


def find_origin(low: int, high: int) -> Origin | None:
    """
    Tell of which version an address range is a part.

    Args:
        low: The first address.
        high: The address after the last one.

    Returns:
        None where no version is mapped there.
    """
    for mapped in list(_mapped.values()):
        if mapped.start <= low and high <= mapped.end and mapped.buffer() is not None:
            return Origin(mapped.nonce, low - mapped.start)
    return None


def _forget_unused() -> None:
    for mapped in list(_mapped.values()):
        if mapped.buffer() is None and _mapped.get(mapped.start) is mapped:
            _mapped.pop(mapped.start, None)
