"""
The server's side of a handshake, which never blocks.

When the socket of a pending handshake has data, the thread that gets this event reads
it and continues the handshake as far as the data allows.
"""

from __future__ import annotations

import hmac
import socket
import struct
import time
from typing import TYPE_CHECKING, Protocol

from ..errors import DataTooBigError, HandshakeError
from ..memory.spool import chosen_spool
from .handshake import (
    CLIENT,
    MESSAGE_BYTES,
    PROOF_BYTES,
    PROTOCOL_VERSION,
    SERVER,
    SIZE_BYTES,
    Hello,
    Welcome,
    frame,
    key_of,
    message_size,
    new_nonce,
    other_user,
    prove,
    read_hello,
)
from .lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from ..memory.blocks import Block

__all__ = ["Stranger"]


class Host(Protocol):
    """
    The server that strangers connect to.
    """

    #: The secret that a stranger must have.
    secret: bytes
    #: The largest message in bytes.
    max_message: int

    def bufsize_for(self, asked: int) -> int:
        """
        Return the size of the buffer for a client that requests this many bytes.
        """

    def take_block(self, bufsize: int) -> Block:
        """
        Return the block of a lane; raises `DataTooBigError` if there is no space.
        """


class Stranger:
    """
    A pending handshake: a client without a proof yet. Used by one thread at a time.

    Args:
        caller: Its socket, which must not block. This object owns the socket, and the
            lane owns it from the welcome on.
        host: The server.
    """

    __slots__ = (
        "_buffer",
        "_host",
        "_key",
        "_nonce",
        "hello",
        "lane",
        "since",
        "socket",
    )

    hello: Hello

    def __init__(self, caller: socket.socket, host: Host) -> None:
        self.socket: socket.socket = caller
        self.since: float = time.monotonic()
        #: The server's end of the lane, after the welcome.
        self.lane: Lane | None = None
        self._host = host
        self._key = b""
        self._nonce = b""
        self._buffer = bytearray()

    def advance(self) -> bool:
        """
        Continue as far as the received data allows.

        Returns:
            Whether the handshake is complete.

        Raises:
            HandshakeError: It belongs to another user, does not have the secret, or
                uses another version.
            EOFError, OSError, ValueError: It disconnected, or speaks another protocol.
        """
        if self.lane is None:
            user = other_user(self.socket)
            if user is not None:
                raise HandshakeError(
                    f"A process of user {user} tried to connect and was refused."
                )
            if self._has_said_hello():
                self._welcome()
            # The proof cannot have arrived yet.
            return False
        while len(self._buffer) < PROOF_BYTES:
            # Read not one byte more: what follows belongs to the lane.
            if not self._read(PROOF_BYTES):
                return False
        expected = prove(self._key, CLIENT, self._nonce)
        if not hmac.compare_digest(self._buffer, expected):
            raise HandshakeError(
                "A client tried to connect without the secret of this server and was "
                "refused. Only proxies that this server gave out can connect to it."
            )
        # After the proof come bells, or the end of the connection.
        if not self.lane.hear():
            raise EOFError("it closed the connection")
        return True

    def _has_said_hello(self) -> bool:
        buffer = self._buffer
        size = SIZE_BYTES
        while len(buffer) < size or size == SIZE_BYTES:
            if not self._read(SIZE_BYTES + MESSAGE_BYTES):
                return False
            if len(buffer) >= SIZE_BYTES:
                size = SIZE_BYTES + message_size(buffer)
        if len(buffer) > size:
            raise ValueError("it sent data before the server answered its hello")
        self.hello = read_hello(buffer[SIZE_BYTES:])
        buffer.clear()
        return True

    def _welcome(self) -> None:
        host, hello = self._host, self.hello
        self._key = key_of(host.secret, hello.nonce)
        self._nonce = new_nonce()
        bufsize = host.bufsize_for(hello.bufsize)
        welcome = Welcome(
            PROTOCOL_VERSION,
            bufsize,
            host.max_message,
            self._nonce,
            prove(self._key, SERVER, self._nonce),
            chosen_spool(),
        )
        if hello.version != PROTOCOL_VERSION:
            self._refuse(
                welcome,
                f"The worker must use version {PROTOCOL_VERSION} of the protocol, as "
                f"the kernel does, not {hello.version}. Install the same version of "
                "duck-jupyter in both.",
            )
        try:
            block = host.take_block(bufsize)
        except (DataTooBigError, OSError) as error:
            self._refuse(welcome, f"The kernel cannot create a lane: {error}")
        self.lane = Lane(block, bufsize, self.socket, host.max_message)
        rights = struct.pack("i", block.descriptor.fileno())
        self._send(frame(welcome), [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])

    def _refuse(self, welcome: Welcome, refusal: str) -> NoReturn:
        welcome.refusal = refusal
        self._send(frame(welcome))
        raise HandshakeError(refusal)

    def _send(self, data: bytes, beside: Sequence[tuple[int, int, bytes]] = ()) -> None:
        # It fits: nothing was sent before.
        if self.socket.sendmsg([data], beside) < len(data):
            raise BlockingIOError("it does not read")

    def _read(self, until: int) -> bool:
        """
        Read received data, until the buffer has this many bytes.

        Returns:
            False if no data has arrived.
        """
        try:
            data = self.socket.recv(until - len(self._buffer))
        except BlockingIOError:
            return False
        if not data:
            raise EOFError("it closed the connection")
        self._buffer += data
        return True

    def close(self) -> None:
        """
        Disconnect the client. Repeated calls do nothing.
        """
        self.socket.close()
        # A reference to this object must not keep the lane mapped.
        lane, self.lane = self.lane, None
        if lane is not None:
            lane.close()

    def __repr__(self) -> str:
        state = "no hello yet" if self.lane is None else "no proof yet"
        return f"<Stranger fd={self.socket.fileno()}, {state}>"
