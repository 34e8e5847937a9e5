"""
Which lanes are polled, and for how long polling pays off.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ..transport.lanes import PHASE, POSTED, STATE, WATCHED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .connections import Connection

__all__ = ["LEFT_S", "LeftToOthers", "LookTime", "Watched"]

#: Seconds after which the leader checks the bells that it passed on.
LEFT_S = 2e-3

#: How long polling without a request lasts, in seconds. The longest must outlast the
#: wake-up of a client that blocks, some 70 to 300 microseconds; otherwise both sides
#: would wake each other for every call, each just after the other has blocked.
MOST_LOOK_S = 400e-6
LEAST_LOOK_S = 5e-6
#: The lane's word that says that the lane is polled together with others.
MANY = 2
#: If a request arrives this soon after the polling ended, including its wake-up, longer
#: polling would have seen it.
WORTH_S = 400e-6


class LookTime:
    """
    Sets how long the next polling may last, depending on the success of the last.
    """

    def __init__(self) -> None:
        self.seconds: float = MOST_LOOK_S
        self._ended_at = 0.0

    def begin(self) -> None:
        """
        Note that a bell has rung.
        """
        if time.monotonic() - self._ended_at < WORTH_S:
            self.seconds = MOST_LOOK_S
        else:
            self.seconds = max(self.seconds / 2, LEAST_LOOK_S)

    def end(self) -> None:
        """
        Note that polling has stopped.
        """
        self._ended_at = time.monotonic()


class Watched:
    """
    The connections that need not ring: a thread polls their lanes.

    The code that removes a connection polls its lane once more afterwards: no bell rang
    for requests that were posted in between.
    """

    def __init__(self) -> None:
        #: The poller reads this without the lock.
        self.connections: tuple[Connection, ...] = ()
        self._known: set[Connection] = set()
        self._seen: dict[Connection, int] = {}
        self._lock = threading.Lock()

    def add(self, connection: Connection) -> None:
        """
        Poll one more connection, unless it is disconnected.
        """
        with self._lock:
            if connection.gone or connection in self._known:
                return
            self._known.add(connection)
            self.connections = connections = (*self.connections, connection)
            connection.words[WATCHED] = min(len(connections), MANY)
            if len(connections) == MANY:
                connections[0].words[WATCHED] = MANY

    def remove(self, connection: Connection) -> None:
        """
        Stop polling a connection. Repeated calls do nothing.
        """
        with self._lock:
            self._drop([connection])

    def clear(self) -> tuple[Connection, ...]:
        """
        Stop polling all connections.

        Returns:
            The connections that were polled.
        """
        with self._lock:
            before = self.connections
            self._drop(before)
            self._seen = {}
            return before

    def forget_the_silent(self) -> list[Connection]:
        """
        Stop polling the connections without a request since the last call of this.

        Returns:
            The connections that were removed.
        """
        with self._lock:
            states = {
                connection: connection.words[STATE] for connection in self.connections
            }
            silent = [c for c, state in states.items() if self._seen.get(c) == state]
            self._seen = states
            self._drop(silent)
            return silent

    def _drop(self, connections: Iterable[Connection]) -> None:
        gone = self._known.intersection(connections)
        if not gone:
            return
        self._known -= gone
        self.connections = rest = tuple(c for c in self.connections if c not in gone)
        for connection in gone:
            connection.words[WATCHED] = 0
        if len(rest) == 1:
            rest[0].words[WATCHED] = 1


class LeftToOthers:
    """
    Connections whose bells were passed to other threads. Used by one thread at a time.
    """

    def __init__(self) -> None:
        self._states: dict[Connection, int] = {}
        self._since = 0.0

    def __bool__(self) -> bool:
        return bool(self._states)

    def add(self, connection: Connection) -> None:
        """
        Note a connection, if its request is not answered yet.
        """
        state = connection.words[STATE]
        if state & PHASE == POSTED:
            if not self._states:
                self._since = time.monotonic()
            self._states[connection] = state

    def find_stuck(self) -> list[tuple[Connection, bool]]:
        """
        Return the connections that no thread has answered within `LEFT_S`.

        Returns:
            Connections, each with False: its bell need not be drained.
        """
        if time.monotonic() - self._since < LEFT_S:
            return []
        left, self._states = self._states, {}
        return [(c, False) for c, state in left.items() if c.words[STATE] == state]

    def clear(self) -> None:
        """
        Remove all.
        """
        self._states.clear()
