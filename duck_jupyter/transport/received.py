"""
Descriptors that come through a socket, owned by an object from the first moment on.
"""

from __future__ import annotations

import os
import socket
from array import array
from collections import deque
from functools import partial
from itertools import chain, repeat
from operator import itemgetter

__all__ = ["Received"]

#: Room for one descriptor; the system closes what comes beyond it.
ROOM = socket.CMSG_LEN(array("i").itemsize)
#: A program that this process starts does not inherit them.
FLAGS = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

_numbers = partial(array, "i")


class Received(list[int]):
    """
    Descriptors that came and that nobody has taken over; they are closed with it.

    An interrupt comes between two steps of Python code and never inside one call of C
    functions. Therefore one such call receives, one closes, and one takes over
    (`Block.take_over`).
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

    def close(self) -> None:
        """
        Close what was not taken over; twice is fine.
        """
        deque(map(os.close, map(list.pop, repeat(self, len(self)))), 0)

    def __del__(self) -> None:
        self.close()
