"""
The proxies of chained objects that a process holds.

The callback of a weak reference reports a collected proxy. The callback is C code:
Python would drop an interrupt in a destructor, and the report with it.
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
    A weak reference to a proxy for which the server counts a reference.
    """

    __slots__ = ("arrival", "idx")

    idx: int
    #: The arrival of the answer that brought the proxy; the server keeps the reference
    #: only if it is known.
    arrival: Arrival


class HeldProxies:
    """
    The held proxies of one link.

    Args:
        gone: Called with the weak reference of a collected proxy; C code.
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
            arrival: The arrival of the answer that brought it.
        """
        held = Held(proxy, self._gone)
        held.idx, held.arrival = idx, arrival
        # Keyed by id(): its hash would be the hash of the object.
        self._held[id(held)] = held

    def give_back(self, proxy: Any) -> None:
        """
        Release a proxy that still exists. Repeated calls do nothing.
        """
        for held in weakref.getweakrefs(proxy):
            if isinstance(held, Held) and id(held) in self._held:
                self._gone(held)

    def take(self, held: Held) -> int | None:
        """
        Return the number of the object whose reference must be released.

        Args:
            held: The weak reference of a collected or released proxy.

        Returns:
            None if nothing must be released.
        """
        known = self._held.pop(id(held), None) is held
        return held.idx if known and held.arrival.is_known else None
