"""
The names that a session shares, and the wishes to share one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..data.inplace import Inplace
    from ..proxy import Proxy
    from .names import Source, Terms

__all__ = ["SharedName", "Wish"]


class Wish(NamedTuple):
    """
    An object to share.
    """

    name: str
    target: Any
    #: The variable to follow, or None to share this one object.
    source: Source | None = None


@dataclass
class SharedName:
    """
    A name, and its present object.
    """

    name: str
    target: Any
    source: Source | None
    #: The settings as the server has them: none is None.
    terms: Terms
    proxy: Proxy
    #: The memory that the object was moved to.
    inplace: Inplace | None = None

    @property
    def hands_over_in_place(self) -> bool:
        """
        Whether pools get a handle to the memory of the object itself.
        """
        return self.terms.handover and self.terms.inplace

    def goes_on(self, old: SharedName) -> bool:
        """
        Return whether another name's object has the same entry and settings.

        Some settings belong to the session alone, such as whether pools get a handle.
        """
        return self.proxy._duck_idx == old.proxy._duck_idx
