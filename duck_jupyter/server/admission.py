"""
The strangers at the door, for the thread that waits for bells.
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

#: Seconds after which one who could not be taken in is tried again.
RETRY_S = 0.05


class Door:
    """
    Who is to be seen to. One thread at a time.

    Args:
        listener: The listening socket.
        bells: With which it and the strangers are waited for.
        admit: Takes one who waits at the listener, to be expected from then on; False
            where nobody does. It raises OSError where this process has no descriptor
            for one who waits.
        greet: Goes on with a stranger of whom something was heard; gives the connection
            that it has become, if it has.
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
        #: In the order of their bells, each once; the listener while somebody may wait
        #: there.
        self._guests: dict[Stranger | socket.socket, None] = {}
        #: When one is tried again for whom this process had no descriptor, in
        #: monotonic seconds. No bell rings for it once more.
        self._retry_at: float | None = None
        bells.add(listener, listener)

    @property
    def is_quiet(self) -> bool:
        """
        Whether nobody is to be seen to.
        """
        return not self._guests

    def expect(self, stranger: Stranger) -> None:
        """
        Wait for what a stranger has to say.
        """
        self._bells.add(stranger.socket, stranger)

    def forget(self, stranger: Stranger) -> None:
        """
        Wait for no more of a stranger; twice is fine.
        """
        self._bells.remove(stranger.socket)

    def takes(self, owner: Any) -> bool:
        """
        Note that a bell has rung, if it is one of the door's.
        """
        ours = owner is self._listener or isinstance(owner, Stranger)
        if ours:
            self._guests[owner] = None
        return ours

    def patience(self, others: float | None) -> float | None:
        """
        Give the seconds after which `try_again` is to be called.

        Args:
            others: Seconds after which something else is to be done; None for never.
        """
        return others if self._retry_at is None else RETRY_S

    def try_again(self) -> None:
        """
        Take in who could not be taken in before, if it is time.
        """
        if self._retry_at is not None and time.monotonic() >= self._retry_at:
            self._retry_at = None
            self._guests[self._listener] = None

    def see_to_one(self) -> list[tuple[Connection, bool]]:
        """
        Go on with the first one, and no more, for connections wait meanwhile.

        Returns:
            The connection that it has become, if its first request is there, with
            whether its bell has to be heard.
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
            report_error()  # and go on, for others wait for this thread
        if connection is None or connection.words[STATE] & PHASE != POSTED:
            return []
        # The bell of its first request was heard with its proof.
        return [(connection, False)]

    def _admit_one(self) -> None:
        try:
            if self._admit():
                # Others may wait there: the bell rang once for all of them.
                self._guests[self._listener] = None
        except OSError:
            self._retry_at = time.monotonic() + RETRY_S

    def clear(self) -> None:
        """
        See to nobody any more.
        """
        self._retry_at = None
        self._guests.clear()


def report_error() -> None:
    """
    Say of an error what Python says of one that ends a thread.
    """
    about = (*sys.exc_info(), threading.current_thread())
    threading.excepthook(threading.ExceptHookArgs(about))
