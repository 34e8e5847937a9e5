"""
What one thread has of a link: its number, and the channels that it does not use now.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from .blocks import Context
    from .channel import Channel

__all__ = ["IdleChannels", "ThreadState"]


class IdleChannels(list["Channel"]):
    """
    Channels that no call uses. They end with their thread, and tell the server so.
    """

    __slots__ = ("_pid",)

    def __init__(self) -> None:
        super().__init__()
        self._pid = os.getpid()

    def __del__(self) -> None:
        # In a child of fork these are the parent's, whose thread goes on.
        if os.getpid() == self._pid:
            while self:
                self.pop().leave()


class ThreadState(threading.local):
    """
    What one thread has of one link.

    Args:
        numbers: Gives the next number of a thread.
    """

    #: The buffers of the answer that is being decoded.
    buffers: Sequence[Any] = ()

    def __init__(self, numbers: Iterator[int]) -> None:
        #: The thread, for the server: one client thread, one thread to the objects.
        self.number = next(numbers)
        self.idle = IdleChannels()
        #: The blocks that this thread has entered and not left, outermost first.
        self.entered: list[Context] = []
        #: The block of which ``with`` has looked up one method, and not yet the other.
        self.looked_up: Context | None = None
