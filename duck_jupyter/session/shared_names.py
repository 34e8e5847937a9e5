"""
What is to be shared under a name, and what is.
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
    An object to be shared.
    """

    name: str
    target: Any
    #: The variable to follow, or None for this very object.
    source: Source | None = None


@dataclass
class SharedName:
    """
    A name, and what it stands for at present.
    """

    name: str
    target: Any
    source: Source | None
    #: As the server has them: no setting is None.
    terms: Terms
    proxy: Proxy
    #: The memory that its object was moved to.
    inplace: Inplace | None = None

    @property
    def hands_over_in_place(self) -> bool:
        """
        Pools get the very memory of the object.
        """
        return self.terms.handover and self.terms.inplace

    def goes_on(self, old: SharedName) -> bool:
        """
        Tell whether the server has the same entry for another name's object and terms.

        Some terms are the session's alone, such as whether pools get a handle.
        """
        return self.proxy._duck_idx == old.proxy._duck_idx
