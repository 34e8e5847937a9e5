"""
Frames over a connection of the network, between a client thread and the server.

::

    head      kind of frame, number of buffers, sequence number, size of the payload,
              the seconds that the client has waited, and those of its last call
    sizes     of the buffers, 64 bits each
    payload   as in a lane (see `protocol.frames`)
    buffers

A request and its answer have the same sequence number. The client sends a receipt for
an answer that granted something, and says when its thread ends.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .lanes import Doorbell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .tls import Tls

__all__ = [
    "ANSWER",
    "GRANTED",
    "LEAVES",
    "RECEIPT",
    "REQUEST",
    "SILENT_S",
    "DeadlinePassed",
    "Frame",
    "Stream",
    "head_of",
    "raw_buffers",
]

REQUEST, ANSWER, GRANTED, RECEIPT, LEAVES = range(1, 6)
HEAD = struct.Struct(">BBIQdd")
SIZE = struct.Struct(">Q")
#: `protocol.values` sends fewer buffers outside of the payload.
MOST_BUFFERS = 64
#: Seconds after which data that the other host does not confirm end the connection; a
#: shorter failure of the network costs only the time.
SILENT_S = 15
#: Seconds between two questions of the system whether the other host is there.
PULSE_S = 1
#: Bytes to receive at a time, and to encrypt at a time.
PIECE_BYTES = 256 << 10
#: Frames of at most this many bytes are sent in one piece.
SMALL_BYTES = 64 << 10


class DeadlinePassed(Exception):
    """
    The deadline of a stream came before its frame.
    """


class Frame(NamedTuple):
    """
    A received frame.
    """

    kind: int
    sequence: int
    waited: float
    took: float
    data: bytes
    buffers: Sequence[Any]


class Stream:
    """
    One side of a connection.

    One thread at a time may send, and one may receive; any may hang up. The socket is
    closed when the last thread drops the stream.

    Args:
        end: The connected socket.
    """

    def __init__(self, end: socket.socket) -> None:
        end.__class__ = Doorbell
        self.end: socket.socket = end
        self.tls: Tls | None = None
        #: In monotonic seconds, for whatever is sent or received; None for never.
        self.deadline: float | None = None
        #: Seconds after which a wait begins anew. Between two, Python runs handlers of
        #: signals that came just before the wait, or to another thread.
        self.recheck_s: float = math.inf
        self._received = bytearray()
        end.setblocking(False)
        self._readable = select.poll()
        self._readable.register(end, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(end, select.POLLOUT)
        self._left = select.poll()
        self._left.register(end, getattr(select, "POLLRDHUP", select.POLLHUP))
        #: Whether a process of this host passes it on, over a secure connection.
        self.is_relayed: bool = end.family == socket.AF_UNIX
        if self.is_relayed:
            return
        tcp = socket.IPPROTO_TCP
        end.setsockopt(tcp, socket.TCP_NODELAY, 1)
        # The system notices a broken connection, see tcp(7).
        end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        end.setsockopt(tcp, socket.TCP_KEEPIDLE, PULSE_S)
        end.setsockopt(tcp, socket.TCP_KEEPINTVL, PULSE_S)
        end.setsockopt(tcp, socket.TCP_KEEPCNT, SILENT_S)
        end.setsockopt(tcp, socket.TCP_USER_TIMEOUT, SILENT_S * 1000)

    def secure(self, tls: Tls) -> None:
        """
        Encrypt everything from here on.

        Raises:
            ssl.SSLError: A certificate was not accepted.
            DeadlinePassed, EOFError, OSError: As for `receive`.
        """
        while True:
            is_complete, records = tls.shake_hands()
            self.send_raw(records)
            if is_complete:
                self.tls = tls
                return
            tls.feed(self._receive_raw())

    # -- sending -----------------------------------------------------------------

    def encoded(self, data: bytes) -> bytes:
        """
        Return what `send_raw` must send for some data, in the order of these calls.
        """
        return data if self.tls is None else self.tls.encrypt(data)

    def send(
        self, head: bytes, data: bytes, buffers: Sequence[memoryview] = ()
    ) -> None:
        """
        Send a frame.

        Args:
            head: The result of `head_of`.
            data: The payload.
            buffers: The buffers.

        Raises:
            DeadlinePassed: It was not sent in time; a part of it may have been.
            OSError: The connection is broken.
        """
        if len(data) <= SMALL_BYTES:
            self.send_raw(self.encoded(head + data))
        else:
            self.send_raw(self.encoded(head))
            buffers = (memoryview(data), *buffers)
        for buffer in buffers:
            for start in range(0, len(buffer), PIECE_BYTES):
                piece: Any = buffer[start : start + PIECE_BYTES]
                self.send_raw(piece if self.tls is None else self.tls.encrypt(piece))

    def send_raw(self, data: Any) -> None:
        """
        Send bytes as they are; raises like `send`.
        """
        view = memoryview(data)
        while view:
            try:
                sent = self.end.send(view)
            except BlockingIOError:
                sent = 0
            if sent:
                view = view[sent:]
            else:
                self._wait(self._writable)

    # -- receiving ---------------------------------------------------------------

    def receive(self, most: int) -> Frame:
        """
        Wait for a frame.

        If this is cut short, the stream cannot be used any more.

        Args:
            most: The largest accepted size of a frame in bytes.

        Raises:
            DeadlinePassed: It did not arrive in time.
            EOFError: The other side has disconnected.
            OSError: The connection is broken.
            ValueError: What arrived is no frame.
        """
        kind, count, sequence, size, waited, took = HEAD.unpack(self.take(HEAD.size))
        if not REQUEST <= kind <= LEAVES or count > MOST_BUFFERS:
            raise ValueError("the head of a frame is not valid")
        sizes = [SIZE.unpack(self.take(SIZE.size))[0] for _ in range(count)]
        if size + sum(sizes) > most:
            raise ValueError(f"a frame of {size + sum(sizes)} bytes was announced")
        data = bytes(self.take(size))
        buffers = [self.take(each) for each in sizes] if sizes else ()
        return Frame(kind, sequence, waited, took, data, buffers)

    def take(self, size: int) -> bytearray:
        """
        Wait for a number of bytes; raises like `receive`.
        """
        received = self._received
        if size <= SMALL_BYTES:
            while len(received) < size:
                received += self._more(SMALL_BYTES)
            taken = received[:size]
            del received[:size]
            return taken
        taken = bytearray(size)
        view = memoryview(taken)
        start = min(size, len(received))
        view[:start] = received[:start]
        del received[:start]
        while start < size:
            if self.tls is None:
                start += self._receive_into(view[start:])
                continue
            more = self._more(size - start)
            view[start : start + len(more)] = more
            start += len(more)
        return taken

    def _more(self, most: int) -> bytes:
        """
        Wait for decrypted bytes.
        """
        tls = self.tls
        while tls is not None:
            found = tls.decrypt(most)
            if found:
                return found
            tls.feed(self._receive_raw())
        return self._receive_raw(most)

    def _receive_raw(self, most: int = PIECE_BYTES) -> bytes:
        while True:
            self._wait(self._readable)
            try:
                found = self.end.recv(most)
            except BlockingIOError:
                continue
            if not found:
                raise EOFError("the connection was closed")
            return found

    def _receive_into(self, view: memoryview) -> int:
        while True:
            self._wait(self._readable)
            try:
                count = self.end.recv_into(view)
            except BlockingIOError:
                continue
            if not count:
                raise EOFError("the connection was closed")
            return count

    def _wait(self, event: select.poll) -> None:
        deadline, recheck_s = self.deadline, self.recheck_s
        left_s = math.inf
        while True:
            if deadline is not None:
                left_s = max(deadline - time.monotonic(), 0.0)
            wait_s = min(left_s, recheck_s)
            if event.poll(None if wait_s == math.inf else math.ceil(wait_s * 1000)):
                return
            if left_s <= recheck_s:
                raise DeadlinePassed

    @property
    def is_left(self) -> bool:
        """
        Whether the other side has disconnected.
        """
        return bool(self._left.poll(0))

    def hang_up(self) -> None:
        """
        Disconnect from the other side. Repeated calls do nothing.
        """
        with contextlib.suppress(OSError):
            self.end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """
        Close this process's descriptor. Repeated calls do nothing.

        Only for a thread that alone holds the stream; other threads call `hang_up` and
        drop it.
        """
        self.end.close()

    def __repr__(self) -> str:
        return f"<Stream fd={self.end.fileno()}{'' if self.tls is None else ' TLS'}>"


def head_of(
    kind: int,
    sequence: int,
    size: int = 0,
    buffers: Iterable[memoryview] = (),
    waited: float = 0.0,
    took: float = 0.0,
) -> bytes:
    """
    Encode the head of a frame and the sizes of its buffers.

    Args:
        kind: The kind of the frame.
        sequence: Its sequence number.
        size: The size of its payload in bytes.
        buffers: Its buffers.
        waited: The seconds that the client has waited before this call.
        took: The seconds of its last call.
    """
    sizes = b"".join(SIZE.pack(len(buffer)) for buffer in buffers)
    count = len(sizes) // SIZE.size
    return HEAD.pack(kind, count, sequence, size, waited, took) + sizes


def raw_buffers(buffers: Sequence[Any]) -> list[memoryview]:
    """
    Return the bytes of the large buffers of a frame, as `pickle.PickleBuffer`.
    """
    return [buffer.raw() for buffer in buffers]
