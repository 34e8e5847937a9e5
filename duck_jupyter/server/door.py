"""
The strangers at the door, for the thread that waits for bells.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from ..transport.strangers import Stranger

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from ..transport.bells import Bells
    from .callers import Caller

__all__ = ["Door", "report_error"]


class Door:
    """
    Who is to be seen to. One thread at a time.

    Args:
        listener: The listening socket; its bell and those of strangers are waited for.
        bells: Where.
        admit: Takes one who waits at the listener; None where nobody does.
        greet: Goes on with a stranger of whom something was heard; gives the caller
            that it has become, if it has.
    """

    def __init__(
        self,
        listener: socket.socket,
        bells: Bells,
        admit: Callable[[], Stranger | None],
        greet: Callable[[Stranger], Caller | None],
    ) -> None:
        self._listener = listener
        self._bells = bells
        self._admit = admit
        self._greet = greet
        #: In the order of their bells, each once; the listener while somebody may wait
        #: there.
        self._guests: dict[Stranger | socket.socket, None] = {}
        bells.add(listener, listener)

    @property
    def is_quiet(self) -> bool:
        """
        Whether nobody is to be seen to.
        """
        return not self._guests

    def takes(self, owner: Any) -> bool:
        """
        Note that a bell has rung, if it is one of the door's.
        """
        ours = owner is self._listener or isinstance(owner, Stranger)
        if ours:
            self._guests[owner] = None
        return ours

    def see_to_one(self) -> list[tuple[Caller, bool]]:
        """
        Go on with the first one, and no more, for callers wait meanwhile.

        Returns:
            The caller that it has become, with whether its bell has to be heard.
        """
        guest = next(iter(self._guests))
        del self._guests[guest]
        caller: Caller | None = None
        try:
            if isinstance(guest, Stranger):
                caller = self._greet(guest)
            elif (stranger := self._admit()) is not None:
                self._bells.add(stranger.socket, stranger)
                # Others may wait there: the bell rang once for all of them.
                self._guests[guest] = None
        except Exception:
            report_error()  # and go on, for others wait for this thread
        # It may have left after its proof, and the bell rang once for both.
        return [] if caller is None else [(caller, True)]

    def clear(self) -> None:
        """
        See to nobody any more.
        """
        self._guests.clear()


def report_error() -> None:
    """
    Say of an error what Python says of one that ends a thread.
    """
    about = (*sys.exc_info(), threading.current_thread())
    threading.excepthook(threading.ExceptHookArgs(about))
