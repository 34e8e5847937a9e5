"""
One thread's channel to a server on another host: a stream, and waiting for an answer.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Literal

from ..errors import KernelGone, ProxyError
from ..interrupts import is_of_signal_handler
from ..transport.lanes import FIRST_OF_SEQUENCE, SEQUENCE
from ..transport.stream_peer import require_size
from ..transport.streams import (
    ANSWER,
    GRANTED,
    LEAVES,
    RECEIPT,
    REQUEST,
    DeadlinePassed,
    head_of,
    raw_buffers,
)
from .channel import BETWEEN_S
from .timeout_messages import no_answer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from ..transport.streams import Stream
    from .channel import Channel
    from .reach import Reach

    #: A channel to any server.
    AnyChannel: TypeAlias = "Channel | StreamChannel"

__all__ = ["StreamChannel"]


#: Seconds that each call has for its way to another host and back.
LEAST_S = 0.05


class _Write:
    """
    Writes to a descriptor: ``channel.write[number] = data``.

    An assignment calls the function of the system without a call in the bytecode, so no
    signal handler runs between the write and the next instruction.
    """

    __setitem__ = os.write


class StreamChannel:
    """
    The client's end of a stream: one exchange at a time, by one thread.

    It has what `Channel` has, and obeys the same rule: if an exchange is cut short, the
    channel is closed and never used again.

    Args:
        stream: The connection, after the handshake; the channel closes it.
        who: The name of the server in errors.
        max_message: The largest message in bytes.
    """

    __slots__ = (
        "__weakref__",
        "_began",
        "_is_answered",
        "_waited",
        "arrival",
        "ended",
        "granted",
        "max_message",
        "moves",
        "number",
        "reaches",
        "receipt",
        "sequence",
        "stream",
        "was_too_late",
        "who",
    )

    is_stream: Literal[True] = True
    write: Any = _Write()
    #: A late answer is not awaited: the channel is dropped.
    is_open: Literal[False] = False

    def __init__(self, stream: Stream, who: str, max_message: int) -> None:
        self.stream: Stream = stream
        self.who: str = who
        self.max_message: int = max_message
        #: Whether the server disconnected before a call, which was not sent.
        self.was_too_late: bool = False
        #: The direct ways that are better than this one, and whether one is open now.
        self.reaches: tuple[Reach, ...] = ()
        self.moves: bool = False
        #: The number of the descriptor.
        self.number: int = stream.end.fileno()
        #: As for `Channel`.
        self.granted: bool = False
        self.ended: float = 0.0
        self.sequence: int = 0
        #: The arrival of the last answer that is acknowledged.
        self.arrival: Any = None
        #: The bytes that acknowledge the last answer; empty once they are sent.
        self.receipt: bytes = b""
        self._is_answered = True
        self._began = 0.0
        self._waited = 0.0

    def call(
        self,
        data: bytes,
        buffers: Sequence[Any] = (),
        timeout: float | None = None,
        looks: int = 0,
        began: float = 0.0,
    ) -> tuple[bytes, Sequence[Any]]:
        """
        Send a request and wait for its answer, as `Channel.call`.

        Raises:
            ProxyTimeout: No answer came in time.
            KernelGone: The server ended, or the connection broke.
            DataTooBigError: The request is too large; nothing was sent.
        """
        raw = raw_buffers(buffers)
        require_size(data, raw, self.max_message)
        began = began or time.monotonic()
        took = self.ended - self._began
        if took > 0:
            between = began - self.ended
            self._waited += took + (between if between < BETWEEN_S else BETWEEN_S)
        self._began = began
        self.sequence = sequence = (self.sequence + FIRST_OF_SEQUENCE) & SEQUENCE
        stream = self.stream
        for reach in self.reaches:
            reach.look()
            # A call with a timeout may be one of a display, which is not repeated.
            if reach.is_open and timeout is None:
                self.was_too_late = self.moves = True
                raise KernelGone(f"{self.who} can be reached directly now.")
        if stream.is_left:
            self.was_too_late = True
            raise KernelGone(
                f"{self.who} disconnected before this call, which was not made: it "
                "ended, its names were unshared, or the network to it broke. Later "
                "calls connect again."
            )
        stream.deadline = None
        if timeout is not None:
            stream.deadline = time.monotonic() + max(timeout, LEAST_S)
        self._is_answered = False
        try:
            # A call inside of a signal handler comes before the receipt was sent.
            receipt, self.receipt = self.receipt, b""
            if receipt:
                stream.send_raw(receipt)
            size, waited = len(data), self._waited
            head = head_of(REQUEST, sequence, size, raw, waited, max(took, 0.0))
            stream.send(head, data, raw)
            frame = stream.receive(self.max_message)
            if frame.sequence != sequence or frame.kind not in (ANSWER, GRANTED):
                raise ValueError("it answers another request")
        except DeadlinePassed:
            raise no_answer(self.who, timeout) from None
        except (OSError, EOFError, ValueError) as error:
            if is_of_signal_handler(error):
                raise
            raise self._gone(error) from error
        if frame.kind == GRANTED:
            self.granted = True
            self.receipt = stream.encoded(head_of(RECEIPT, sequence))
        self._is_answered = True
        return frame.data, frame.buffers

    def _gone(self, error: BaseException) -> KernelGone:
        return KernelGone(
            f"{self.who} stopped, or the network to it broke, before it answered "
            f"({type(error).__name__}: {error}). It may have made this call, or not. "
            "Later calls connect again."
        )

    @staticmethod
    def is_of_write(error: BaseException) -> bool:
        """
        Return whether an error is one of acknowledging an answer.
        """
        return (
            isinstance(error, OSError)
            and not isinstance(error, ProxyError)
            and not is_of_signal_handler(error)
        )

    def unsent(self, error: BaseException) -> KernelGone:
        """
        Return the error of an answer that could not be acknowledged.

        The server takes back what the answer granted.

        Args:
            error: The error of the connection.
        """
        if self.arrival is not None:
            self.arrival.is_known = False
        return KernelGone(
            f"{self.who} stopped, or the network to it broke, before it knew that its "
            f"answer had arrived ({type(error).__name__}: {error}). It takes back what "
            "the answer gave, such as a lock or an item of a queue. Later calls "
            "connect again."
        )

    @property
    def waited(self) -> float:
        """
        Seconds that the thread has waited in exchanges that have ended.
        """
        return self._waited + max(self.ended - self._began, 0.0)

    @property
    def is_idle(self) -> bool:
        """
        Whether every exchange that was begun has ended with its answer.
        """
        return self._is_answered and not self.granted

    def introduce(self) -> None:
        """
        Do nothing: the server knows a client from the handshake on.
        """

    def leave(self) -> None:
        """
        Tell the server that the channel's thread has ended, and close the channel.
        """
        stream = self.stream
        # This runs in destructors, so it must not wait.
        stream.deadline = 0.0
        with contextlib.suppress(OSError, DeadlinePassed, ValueError):
            receipt, self.receipt = self.receipt, b""
            stream.send_raw(receipt)
            stream.send(head_of(LEAVES, self.sequence), b"")
        self.close()

    def close(self) -> None:
        """
        Disconnect. Repeated calls do nothing.

        The server takes back the grants of an answer that has not arrived.
        """
        self.stream.close()
