"""
Descriptors that come through a socket, owned by an object from the first moment on.
"""

from __future__ import annotations

import socket
from array import array
from functools import partial
from itertools import chain
from operator import itemgetter

from ..memory.descriptors import Descriptors

__all__ = ["Received"]

#: Room for one descriptor; the system closes what comes beyond it.
ROOM = socket.CMSG_LEN(array("i").itemsize)
#: A program that this process starts does not inherit them.
FLAGS = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

_numbers = partial(array, "i")


class Received(Descriptors):
    """
    Descriptors that came and that nobody has taken over; they are closed with it.
    """

    def receive(self, end: socket.socket, buffer: bytearray) -> None:
        """
        Receive bytes, and what descriptors come with them.

        Args:
            end: The socket.
            buffer: Filled from its start; it should hold zeros, for how much came is
                not told.

        Raises:
            OSError: What the socket says.
        """
        messages = map(end.recvmsg_into, ([buffer],), (ROOM,), (FLAGS,))
        beside = chain.from_iterable(map(itemgetter(1), messages))
        self.extend(chain.from_iterable(map(_numbers, map(itemgetter(2), beside))))
