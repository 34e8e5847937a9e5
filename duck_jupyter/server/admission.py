"""
Accepting clients, in the thread that waits for bells.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from ..transport.lanes import PHASE, POSTED, STATE
from ..transport.pending_handshakes import Stranger

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from ..transport.doorbells import Bells
    from .connections import Connection

__all__ = ["Door", "report_error"]

#: Seconds after which a client that could not be accepted is tried again.
RETRY_S = 0.05


class Door:
    """
    The pending handshakes that need an action. Used by one thread at a time.

    Args:
        listener: The listening socket.
        bells: Waits for the listener and the pending handshakes.
        admit: Accepts a client at the listener, for which `expect` is called then;
            returns False if none waits. It raises OSError if this process has no
            descriptor left for it.
        greet: Continues a pending handshake that has sent something; returns the
            connection if the handshake is complete.
    """

    def __init__(
        self,
        listener: socket.socket,
        bells: Bells,
        admit: Callable[[], bool],
        greet: Callable[[Stranger], Connection | None],
    ) -> None:
        self._listener = listener
        self._admit = admit
        self._greet = greet
        self._bells = bells
        #: In the order of their bells, each once; with the listener while clients may
        #: be waiting there.
        self._guests: dict[Stranger | socket.socket, None] = {}
        #: When to try again to accept a client for which this process had no
        #: descriptor, in monotonic seconds. No second bell rings for it.
        self._retry_at: float | None = None
        bells.add(listener, listener)

    @property
    def is_quiet(self) -> bool:
        """
        Whether no handshake needs an action.
        """
        return not self._guests

    def expect(self, stranger: Stranger) -> None:
        """
        Wait for messages of a pending handshake.
        """
        self._bells.add(stranger.socket, stranger)

    def forget(self, stranger: Stranger) -> None:
        """
        Stop waiting for a pending handshake. Repeated calls do nothing.
        """
        self._bells.remove(stranger.socket)

    def takes(self, owner: Any) -> bool:
        """
        Note a bell, if it is the listener's or that of a pending handshake.
        """
        ours = owner is self._listener or isinstance(owner, Stranger)
        if ours:
            self._guests[owner] = None
        return ours

    def patience(self, others: float | None) -> float | None:
        """
        Return the seconds after which `try_again` is to be called.

        Args:
            others: Seconds until another task is due; None for never.
        """
        return others if self._retry_at is None else RETRY_S

    def try_again(self) -> None:
        """
        Accept clients that could not be accepted before, if it is time.
        """
        if self._retry_at is not None and time.monotonic() >= self._retry_at:
            self._retry_at = None
            self._guests[self._listener] = None

    def see_to_one(self) -> list[tuple[Connection, bool]]:
        """
        Continue the first pending handshake only, because connections wait meanwhile.

        Returns:
            The connection, if the handshake is complete and the first request has
            arrived, and whether its bell must be drained.
        """
        guest = next(iter(self._guests))
        del self._guests[guest]
        connection: Connection | None = None
        try:
            if isinstance(guest, Stranger):
                connection = self._greet(guest)
            else:
                self._admit_one()
        except Exception:
            report_error()  # and continue: other connections need this thread
        if connection is None or connection.words[STATE] & PHASE != POSTED:
            return []
        # The bell of its first request was drained with its proof.
        return [(connection, False)]

    def _admit_one(self) -> None:
        try:
            if self._admit():
                # More clients may wait there: the bell rang once for all of them.
                self._guests[self._listener] = None
        except OSError:
            self._retry_at = time.monotonic() + RETRY_S

    def clear(self) -> None:
        """
        Drop all pending handshakes.
        """
        self._retry_at = None
        self._guests.clear()


def report_error() -> None:
    """
    Report an error as Python reports one that ends a thread.
    """
    about = (*sys.exc_info(), threading.current_thread())
    threading.excepthook(threading.ExceptHookArgs(about))
