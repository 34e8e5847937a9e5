"""
What parts of the data plane ask of one another, as protocols.

A store keeps publications, which ask it for room; a look finds parts of both kinds of
shared memory, whose modules use looks. So none of them imports the other.
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
    What a publication asks of its store.
    """

    def make_way(self, publication: Any, size: int) -> None:
        """
        See to it that there is room for another version, of so many bytes.
        """

    def retire(self, publication: Any) -> None:
        """
        End a publication; its handles that are on their way still arrive.
        """

    def tidy_soon(self) -> None:
        """
        Look now and then for memory that workers have let go.
        """


class InplaceMemory(Protocol):
    """
    What a look asks of memory that an object was moved to.
    """

    name: str

    def handle(self, target: Any) -> Any:
        """
        Give what stands for the memory itself.
        """
        ...

    def offset_of(self, low: int, high: int) -> int | None:
        """
        Tell where addresses lie in the memory.
        """
        ...

    def memory(self) -> Memory | None:
        """
        Give what stands for all the memory; None where it is not shared any more.
        """
        ...


class Published(Protocol):
    """
    What a look asks of a publication.
    """

    name: str

    def at_work(self, work: Callable[[], _T]) -> _T:
        """
        Do some work; what it finds or publishes is kept meanwhile.
        """
        ...

    def find(self, nonce: bytes) -> Version | None:
        """
        Give a version that is kept.
        """
        ...

    def part(
        self, target: Any, dumped: Dumped, part: Part, data: int
    ) -> Version | None:
        """
        Give a version that holds a part of the object as it is now.
        """
        ...
