"""
What the statistics, and the state of a client thread, need of a connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..transport.rendezvous import Hello
    from ..transport.stream_peer import Peer
    from .thread_counts import Tally
    from .worker_rows import Way

__all__ = ["Connection"]


class Connection(Protocol):
    """
    The connection of a client thread.
    """

    hello: Hello
    lane: Peer
    #: The state words of the lane.
    words: memoryview[int]
    #: The client thread, which may have several connections.
    thread: Any
    #: Seconds since the epoch.
    since: float
    #: Whether it only releases what its process no longer holds.
    tidies: bool
    #: Whether it has ended.
    gone: bool
    tally: Tally
    #: The counted calls, by object.
    counts: dict[int, list[int]]

    @property
    def way(self) -> Way:
        """
        How its calls reach the server.
        """
        ...

    @property
    def asks(self) -> bool:
        """
        Whether a thread of the user has called through it.
        """
        ...

    def waited_before(self, now: float) -> float:
        """
        Return how long it has waited in calls that have ended, in seconds.
        """
        ...

    def waited_until(self, now: float) -> float:
        """
        Return how long it has waited for answers until a time of the epoch.
        """
        ...

    def waits_for(self) -> float:
        """
        Return how long it has waited for its answer until now, in seconds.
        """
        ...

    @property
    def called(self) -> int:
        """
        The number of the object that the request in progress is about, or 0.
        """
        ...
