"""
Protocols of the parts of a server that the collector reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..data.store import Store
    from ..data.versions import Versions
    from .connection import Connection
    from .error_log import ErrorLog
    from .rows import Mode
    from .workers import WorkerLog

__all__ = ["Entry", "Policy", "Publisher", "Server", "Table"]


class Policy(Protocol):
    """
    The settings of an object.
    """

    @property
    def name(self) -> str:
        """
        The name that it is shared under.
        """
        ...

    @property
    def bufsize(self) -> int:
        """
        Bytes of a buffer.
        """
        ...

    @property
    def max_chain(self) -> int:
        """
        The longest chain of proxies.
        """
        ...

    @property
    def mode(self) -> Mode:
        """
        What workers may do with the object.
        """
        ...


class Entry(Protocol):
    """
    One object.
    """

    idx: int
    #: The number of the object whose row counts its calls.
    row: int
    parent: int | None
    path: str
    #: The object itself.
    target: Any
    level: int
    #: Counts of calls whose threads have disconnected.
    counts: list[int]
    #: References, by process.
    holders: dict[str, int]
    #: Seconds since the epoch.
    since: float

    @property
    def policy(self) -> Policy:
        """
        The object's settings.
        """
        ...

    @property
    def type_name(self) -> str:
        """
        The name of the object's type.
        """
        ...


class Table(Protocol):
    """
    The objects of a server.
    """

    #: Counts of objects that were removed.
    past: list[int]

    @property
    def entries(self) -> Mapping[int, Any]:
        """
        The objects, by number.
        """
        ...

    def sizer_of(self, kind: type, /) -> Callable[[Any], str] | None:
        """
        Return the function that describes the size of a type's objects, or None.
        """
        ...

    def sweep(self) -> None:
        """
        Release the references that this process dropped.
        """

    def expire(self) -> None:
        """
        Release objects whose pickled proxies never arrived.
        """


class Handed(Protocol):
    """
    The counts of hand-overs.
    """

    def of(self, idx: int) -> tuple[int, int]:
        """
        Return how often an object was handed over, and the bytes that this saved.
        """
        ...

    def in_all(self) -> tuple[int, int]:
        """
        Return the same of all objects.
        """
        ...


class Publisher(Protocol):
    """
    The versions of the objects.
    """

    store: Store

    @property
    def handed(self) -> Handed:
        """
        How often they were handed over.
        """
        ...

    def published(self) -> frozenset[int]:
        """
        Return the numbers of the objects that have versions.
        """
        ...

    def mode(self, entry: Any) -> Mode:
        """
        Return the mode of an object.
        """
        ...

    def versions(self, idx: int) -> Versions:
        """
        Return the kept versions of an object.
        """
        ...

    def holders(self) -> Mapping[int, Mapping[int, int]]:
        """
        Return by object, and then by process, how many versions a process maps.
        """
        ...


class Server(Protocol):
    """
    The part of a server that the statistics need.
    """

    since: float
    errors: ErrorLog
    workers: WorkerLog

    @property
    def running(self) -> bool:
        """
        Whether it answers.
        """
        ...

    @property
    def table(self) -> Table:
        """
        Its objects.
        """
        ...

    @property
    def publisher(self) -> Publisher:
        """
        Their versions.
        """
        ...

    def connections(self) -> Sequence[Connection]:
        """
        Return the connected client threads.
        """
        ...

    def busy_delay(self) -> float | None:
        """
        Return the longest delay of a caller in the last two seconds, in seconds.
        """
        ...
