"""
The state of one thread on a link: its number and its idle channels.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .stream_channel import AnyChannel

__all__ = ["ARRIVED", "Arrival", "IdleChannels", "ThreadState"]


class Arrival:
    """
    Whether the server knows that an answer arrived.

    Before the server knows it, it takes back what the answer granted if the lane
    closes. So a dropped proxy has nothing to release until then.
    """

    # Set in an instance; `__init__` would cost every lock as much as a system call.
    is_known = False


#: For grants of earlier answers.
ARRIVED = Arrival()
ARRIVED.is_known = True


class IdleChannels(list["AnyChannel"]):
    """
    Channels that no call uses. They end with their thread, and tell the server.
    """

    __slots__ = ("_pid",)

    def __init__(self) -> None:
        super().__init__()
        self._pid = os.getpid()

    def __del__(self) -> None:
        # In a child of fork these belong to the parent, whose thread still runs.
        if os.getpid() == self._pid:
            while self:
                self.pop().leave()


class OpenBlock(Protocol):
    """
    A ``with`` block of an object's own context manager.
    """

    #: The object's number.
    idx: int
    #: Which of its methods were looked up: "e" for ``__enter__``, "x" for ``__exit__``.
    parts: str

    def leave(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        """
        Leave the block, as ``__exit__`` does.
        """
        ...


class ThreadState(threading.local):
    """
    The state of one thread on one link.

    Args:
        numbers: Yields the numbers of threads.
    """

    #: The buffers of the answer that is being decoded, and its arrival.
    buffers: Sequence[Any] = ()
    arrival: Arrival = ARRIVED

    #: The channel whose answer was late: see `Exchanges.ask_briefly`.
    late: AnyChannel | None = None
    #: The block of which ``with`` has looked up one method, and not yet the other.
    looked_up: OpenBlock | None = None
    #: The thread's number for the server: each client thread has its own thread there.
    number: int
    #: The channels that no call uses.
    idle: IdleChannels
    #: The blocks that this thread has entered and not left, outermost first.
    entered: list[OpenBlock]

    def __init__(self, numbers: Iterator[int]) -> None:
        own = self.__dict__
        own.setdefault("number", next(numbers))
        own.setdefault("idle", IdleChannels())
        own.setdefault("entered", [])

    def __getattr__(self, name: str) -> Any:
        # A signal handler or a destructor makes a call during `__init__`.
        make = {"number": threading.get_ident, "idle": IdleChannels, "entered": list}
        if name not in make:
            raise AttributeError(name)
        return self.__dict__.setdefault(name, make[name]())
