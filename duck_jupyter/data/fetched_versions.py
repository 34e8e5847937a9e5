"""
Versions that this process both published and fetched, by address.

An object that was fetched in the notebook uses the memory of a version of the notebook.
If it is passed to a pool, it can be sent as a handle to that version.
"""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

from ..memory.copying import address_of

__all__ = ["Origin", "find_origin", "remember"]


class Origin(NamedTuple):
    """
    The version, and its part, that an address range of this process maps.
    """

    nonce: bytes
    #: Bytes from the start of the version's file.
    offset: int


class _Mapped(NamedTuple):
    """
    A version that is mapped in this process.
    """

    #: Dead when the mapping is no longer in use.
    buffer: weakref.ref[Any]
    start: int
    end: int
    nonce: bytes


#: Keyed by the first address of the mapping.
_mapped: dict[int, _Mapped] = {}


def remember(buffer: Any, nonce: bytes) -> None:
    """
    Note that a version is mapped, as long as the mapping is in use.

    Args:
        buffer: The whole file of the version; all objects over it refer to this buffer.
        nonce: The nonce of the version.
    """
    start, size = address_of(buffer), len(buffer)
    _forget_unused()
    _mapped[start] = _Mapped(weakref.ref(buffer), start, start + size, nonce)


def find_origin(low: int, high: int) -> Origin | None:
    """
    Return the version that an address range is a part of.

    Args:
        low: The first address.
        high: The address after the last one.

    Returns:
        None if no version is mapped there.
    """
    for mapped in list(_mapped.values()):
        if mapped.start <= low and high <= mapped.end and mapped.buffer() is not None:
            return Origin(mapped.nonce, low - mapped.start)
    return None


def _forget_unused() -> None:
    for mapped in list(_mapped.values()):
        if mapped.buffer() is None and _mapped.get(mapped.start) is mapped:
            _mapped.pop(mapped.start, None)
