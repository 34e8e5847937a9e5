"""
Protocols between modules of the data plane.

A store keeps publications, and these request memory from it. Looks find parts of both
kinds of shared memory, and the modules of both use looks. With these protocols none of
them imports the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..memory.dirty_tracker import Part
    from .parts import Memory
    from .pickling import Dumped
    from .versions import Version

__all__ = ["InplaceMemory", "Keeper", "Published"]

_T = TypeVar("_T")


class Keeper(Protocol):
    """
    The methods of a store that publications use.
    """

    def make_way(self, publication: Any, size: int) -> None:
        """
        Make space for another version of this size in bytes.
        """

    def retire(self, publication: Any) -> None:
        """
        End a publication; its handles can still arrive.
        """

    def tidy_soon(self) -> None:
        """
        Search from time to time for memory that workers released.
        """


class InplaceMemory(Protocol):
    """
    The methods of in-place memory that looks use.
    """

    name: str

    def handle(self, target: Any) -> Any:
        """
        Return a handle to the memory itself.
        """
        ...

    def offset_of(self, low: int, high: int) -> int | None:
        """
        Return the offset of addresses in the memory.
        """
        ...

    def memory(self) -> Memory | None:
        """
        Return the whole memory for parts to refer to; None if it is no longer shared.
        """
        ...


class Published(Protocol):
    """
    The methods of a publication that looks use.
    """

    name: str

    def at_work(self, work: Callable[[], _T]) -> _T:
        """
        Do some work; versions that it finds or publishes stay meanwhile.
        """
        ...

    def find(self, nonce: bytes) -> Version | None:
        """
        Return a kept version.
        """
        ...

    def part(
        self, target: Any, dumped: Dumped, part: Part, data: int
    ) -> Version | None:
        """
        Return a version that holds a part of the present object.
        """
        ...
