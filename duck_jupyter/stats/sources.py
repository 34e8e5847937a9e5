"""
What the collector reads from: the parts of a server that it needs, as protocols.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .workers import Connected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..data.store import Store
    from ..data.versions import Versions
    from ..transport.lanes import Lane
    from .error_log import ErrorLog
    from .rows import Mode
    from .workers import WorkerLog

__all__ = ["Connection", "Entry", "Policy", "Publisher", "Server", "Table"]


class Connection(Connected, Protocol):
    """
    The connection of a client thread.
    """

    lane: Lane
    #: The state words of the lane.
    words: Any
    #: The request that is being answered, or was answered last.
    payload: Any
    #: The client thread, which may have several connections.
    thread: Any

    def waits_for(self) -> float:
        """
        Return how long the client thread has waited for its answer, in seconds.
        """
        ...


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
        What workers may do, in a word.
        """
        ...


class Entry(Protocol):
    """
    One object.
    """

    idx: int
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
        Give what tells the size of objects of a type in words, or None.
        """
        ...

    def sweep(self) -> None:
        """
        Remove what this process holds no longer.
        """

    def expire(self) -> None:
        """
        Remove what was granted too long ago.
        """


class Handed(Protocol):
    """
    How often objects were handed over.
    """

    def of(self, idx: int) -> tuple[int, int]:
        """
        Give how often an object was handed over, and the bytes that were not copied.
        """
        ...

    def in_all(self) -> tuple[int, int]:
        """
        Give the same of all objects.
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
        Give the numbers of the objects that have versions.
        """
        ...

    def mode(self, entry: Any) -> Mode:
        """
        Say in a word what workers get of an object.
        """
        ...

    def versions(self, idx: int) -> Versions:
        """
        Tell what is kept of an object.
        """
        ...

    def holders(self) -> Mapping[int, Mapping[int, int]]:
        """
        Tell how many versions of each object each process maps.
        """
        ...


class Server(Protocol):
    """
    A server, as far as it is counted.
    """

    since: float
    errors: ErrorLog
    workers: WorkerLog

    @property
    def running(self) -> bool:
        """
        It answers.
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
        List the client threads that are connected.
        """
        ...

    def busy_delay(self) -> float | None:
        """
        Give by how many seconds a caller was delayed at most in the last two seconds.
        """
        ...
