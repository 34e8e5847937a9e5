"""
A connection of the network as the server sees it: like its end of a lane.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import DataTooBigError
from .lanes import (
    BEGAN_AT,
    IDLE,
    LEAVING,
    LENGTH,
    PHASE,
    POSTED,
    POSTED_AT,
    REPLIED,
    SEQUENCE,
    STATE,
    TAIL_BYTES,
    TOOK,
    WAITED,
    WAITING,
)
from .streams import (
    ANSWER,
    GRANTED,
    LEAVES,
    RECEIPT,
    REQUEST,
    DeadlinePassed,
    head_of,
    raw_buffers,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from .streams import Frame, Stream

__all__ = ["Peer", "StreamPeer", "require_size"]


class Peer(Protocol):
    """
    The server's end of a connection: a lane, or a stream.
    """

    #: The bytes of a frame that fit, and where they are.
    bufsize: int
    map: Any
    #: The words of a lane, see `lanes`.
    words: memoryview[int]
    doubles: memoryview[float]
    doorbell: socket.socket

    @property
    def is_left(self) -> bool:
        """
        Whether the other side has disconnected.
        """
        ...

    def fence(self) -> None:
        """
        Order the memory accesses before this call against those after it.
        """
        ...

    def put(
        self, data: bytes, buffers: Sequence[Any] = (), *, grant: bool = False
    ) -> None:
        """
        Write an answer; the caller then sets the state.
        """
        ...

    def take(self) -> tuple[bytes, Sequence[Any]]:
        """
        Return the request, and its buffers.
        """
        ...

    def ring(self) -> None:
        """
        Wake the other side.
        """
        ...

    def hear(self) -> bool:
        """
        Drain what has woken this side; False if the other side has disconnected.
        """
        ...

    def hang_up(self) -> None:
        """
        Disconnect from the other side. Repeated calls do nothing.
        """
        ...

    def close(self) -> None:
        """
        Release this end. Repeated calls do nothing.
        """
        ...

    @property
    def bytes(self) -> int:
        """
        The bytes that the system has allocated for both sides.
        """
        ...


class StreamPeer:
    """
    The server's end of a stream.

    Its words are memory of this process. One thread receives, and writes the client's
    words. As in a lane, `put` keeps an answer, and `ring` sends it: the client of a
    stream always blocks.

    Args:
        stream: The connection.
        max_message: The largest message in bytes.
    """

    #: No frame fits, so each goes through `put` and `take`.
    bufsize = 0
    map = b""

    def __init__(self, stream: Stream, max_message: int) -> None:
        self.stream: Stream = stream
        self.max_message: int = max_message
        memory = memoryview(bytearray(TAIL_BYTES))
        self.words: memoryview[int] = memory.cast("I")
        self.doubles: memoryview[float] = memory.cast("d")
        self.doorbell: socket.socket = stream.end
        #: Whether the system has reported the end of the connection.
        self.is_hung_up: bool = False
        #: Set when everything that the client has sent was received.
        self.is_over: threading.Event = threading.Event()
        self._request: Frame | None = None
        self._answer: tuple[int, bytes, list[memoryview]] | None = None

    @property
    def is_left(self) -> bool:
        """
        Whether the other side has disconnected.
        """
        return self.is_hung_up or self.stream.is_left

    @property
    def is_busy(self) -> bool:
        """
        Whether a request has arrived, and is not answered yet.
        """
        return self.words[STATE] & PHASE not in (IDLE, REPLIED)

    def receive(self) -> bool:
        """
        Wait for a frame, and write the words that a client writes into a lane.

        Returns:
            Whether it is a request.

        Raises:
            EOFError, OSError, ValueError: The connection has ended.
        """
        frame = self.stream.receive(self.max_message)
        words, doubles = self.words, self.doubles
        if frame.kind == LEAVES:
            words[LEAVING] = 1
        elif frame.kind == RECEIPT:
            if words[STATE] == frame.sequence | REPLIED:
                words[STATE] = frame.sequence
        elif frame.kind != REQUEST or self.is_busy:
            raise ValueError("a client must wait for its answer")
        else:
            self._request = frame
            words[LENGTH] = 1
            doubles[WAITED], doubles[TOOK] = frame.waited, frame.took
            doubles[BEGAN_AT] = doubles[POSTED_AT] = time.monotonic()
            words[WAITING] = 1
            words[STATE] = (frame.sequence & SEQUENCE) | POSTED
            return True
        return False

    def take(self) -> tuple[bytes, Sequence[Any]]:
        """
        Return the request, and its buffers.
        """
        frame, self._request = self._request, None
        assert frame is not None
        return frame.data, frame.buffers

    def put(
        self, data: bytes, buffers: Sequence[Any] = (), *, grant: bool = False
    ) -> None:
        """
        Keep an answer for `ring`; the caller then sets the state.

        Args:
            data: The payload of the frame.
            buffers: The large buffers of the frame, as `pickle.PickleBuffer`.
            grant: Whether the client must acknowledge the answer.

        Raises:
            DataTooBigError: It is larger than `max_message`.
        """
        raw = raw_buffers(buffers)
        require_size(data, raw, self.max_message)
        self._answer = GRANTED if grant else ANSWER, data, raw

    def ring(self) -> None:
        """
        Send the answer. If the connection is broken, the thread that receives sees it.
        """
        words = self.words
        words[WAITING] = 0
        self.doubles[POSTED_AT] = 0.0
        answer, self._answer = self._answer, None
        if answer is None:
            return
        kind, data, buffers = answer
        sequence = words[STATE] & SEQUENCE
        try:
            self.stream.send(head_of(kind, sequence, len(data), buffers), data, buffers)
        except (OSError, DeadlinePassed):
            self.hang_up()

    def hear(self) -> bool:
        """
        Return whether the other side is connected.
        """
        return not self.is_left

    def fence(self) -> None:
        """
        Do nothing: the words are written and read by threads of one process.
        """

    def hang_up(self) -> None:
        """
        Disconnect from the other side. Repeated calls do nothing.
        """
        self.stream.hang_up()

    def close(self) -> None:
        """
        Close this process's descriptor. Repeated calls do nothing.
        """
        with contextlib.suppress(OSError):
            self.stream.close()

    @property
    def bytes(self) -> int:
        """
        Nothing: it has no memory that two processes share.
        """
        return 0

    def __repr__(self) -> str:
        return f"<StreamPeer {self.stream!r}>"


def require_size(data: bytes, buffers: Sequence[memoryview], most: int) -> None:
    """
    Require that a message is not too large.

    Raises:
        DataTooBigError: It is larger than `most` bytes.
    """
    total = len(data) + sum(map(len, buffers))
    if total > most:
        error = DataTooBigError(
            f"A message must be at most {most:,} bytes (max_message), not {total:,}. "
            "Nothing was sent. Send it in parts, or raise the limit of the server."
        )
        error.message_bytes = total
        raise error
