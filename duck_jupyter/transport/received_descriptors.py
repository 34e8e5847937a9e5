"""
Descriptors that are received through a socket, with an owner from the first moment.
"""

from __future__ import annotations

import socket
from array import array
from functools import partial
from itertools import chain
from operator import itemgetter

from ..memory.descriptors import Descriptors

__all__ = ["Received"]

#: Space for one descriptor; the system closes further ones.
ROOM = socket.CMSG_LEN(array("i").itemsize)
#: Programs that this process starts do not inherit them.
FLAGS = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

_numbers = partial(array, "i")


class Received(Descriptors):
    """
    Received descriptors that have no other owner yet; they are closed with this list.
    """

    def receive(self, end: socket.socket, buffer: bytearray) -> None:
        """
        Receive bytes, and the descriptors that are sent with them.

        Args:
            end: The socket.
            buffer: Filled from its start. It should hold zeros, because the number of
                received bytes is not returned.

        Raises:
            OSError: The error of the socket.
        """
        messages = map(end.recvmsg_into, ([buffer],), (ROOM,), (FLAGS,))
        beside = chain.from_iterable(map(itemgetter(1), messages))
        self.extend(chain.from_iterable(map(_numbers, map(itemgetter(2), beside))))
