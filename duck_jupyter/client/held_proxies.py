"""
The proxies of chained objects that a process holds, and how it learns that one goes.

A weak reference tells it, whose callback is C code: an interrupt in a destructor would
be dropped by Python, and what the destructor had to tell with it.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .thread_state import Arrival

__all__ = ["Held", "HeldProxies"]


class Held(weakref.ref[Any]):
    """
    A proxy for which the server counts a reference.
    """

    __slots__ = ("arrival", "idx")

    idx: int
    #: Whether the server will not take the reference back by itself.
    arrival: Arrival


class HeldProxies:
    """
    Those of one link.

    Args:
        gone: Called with what stood for a proxy when it has gone; C code.
    """

    def __init__(self, gone: Callable[[Held], object]) -> None:
        self._gone = gone
        self._held: dict[int, Held] = {}

    def add(self, proxy: Any, idx: int, arrival: Arrival) -> None:
        """
        Hold a proxy.

        Args:
            proxy: The proxy.
            idx: The number of its object.
            arrival: That of the answer in which it came.
        """
        held = Held(proxy, self._gone)
        held.idx, held.arrival = idx, arrival
        # By its own number: its hash would be the hash of the object.
        self._held[id(held)] = held

    def give_back(self, proxy: Any) -> None:
        """
        Hold a proxy no longer though it is still there; twice is fine.
        """
        for held in weakref.getweakrefs(proxy):
            if isinstance(held, Held) and id(held) in self._held:
                self._gone(held)

    def take(self, held: Held) -> int | None:
        """
        Give the number of the object of which a reference is to be given back.

        Args:
            held: What stood for a proxy that has gone, or was given back.

        Returns:
            None where there is nothing to be given back.
        """
        known = self._held.pop(id(held), None) is held
        return held.idx if known and held.arrival.is_known else None
