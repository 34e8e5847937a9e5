"""
What one thread has of a link: a channel that it leaves to the next one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Sequence
    from typing import Any

    from .channel import Channel

__all__ = ["Seat", "ThreadState"]


class ThreadState(threading.local):
    """
    What one thread has of one link.
    """

    seat: Seat | None = None
    channel: Channel | None = None
    #: The buffers of the answer that is being decoded.
    buffers: Sequence[Any] = ()

    def __init__(self) -> None:
        #: The channels through which this thread's ``with`` blocks were entered.
        self.entered: dict[int, list[Channel]] = {}


class Seat:
    """
    Goes with its thread, and leaves the channel to the next one.
    """

    __slots__ = ("_channel", "_free")

    def __init__(self, channel: Channel, free: deque[Channel]) -> None:
        self._channel: Channel | None = channel
        self._free = free

    def leave(self) -> None:
        """
        Do without the channel: it was closed, or is not to be used again.
        """
        self._channel = None

    def __del__(self) -> None:
        channel = self._channel
        if channel is None:
            return
        if channel.busy or channel.contexts:
            channel.close()
        else:
            self._free.append(channel)
