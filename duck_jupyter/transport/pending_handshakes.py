"""
The server's side of a handshake, which waits for nobody.

A stranger is read from when its socket says that something has come, by whichever
thread heard it, and goes on as far as that allows.
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
    Where strangers call.
    """

    #: What a stranger must have.
    secret: bytes
    #: The largest message in bytes.
    max_message: int

    def bufsize_for(self, asked: int) -> int:
        """
        Give the bytes for one frame in a lane whose client asks for so many.
        """

    def take_block(self, bufsize: int) -> Block:
        """
        Give the block of a lane; raises `DataTooBigError` where there is no room.
        """


class Stranger:
    """
    One who called and did not prove yet that it has the secret. One thread at a time.

    Args:
        caller: Its socket, which must not block; the stranger owns it, and its lane
            from the welcome on.
        host: What it calls at.
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
        self.socket = caller
        self.since = time.monotonic()
        #: The server's end, once there was a welcome.
        self.lane: Lane | None = None
        self._host = host
        self._key = b""
        self._nonce = b""
        self._buffer = bytearray()

    def advance(self) -> bool:
        """
        Go on as far as what has come allows.

        Returns:
            Whether the handshake is over, and the stranger is none any more.

        Raises:
            HandshakeError: It is not of this user, has not the secret, or speaks
                another version.
            EOFError, OSError, ValueError: It went away, or speaks another language.
        """
        if self.lane is None:
            user = other_user(self.socket)
            if user is not None:
                raise HandshakeError(f"A process of user {user} was turned away.")
            if self._has_said_hello():
                self._welcome()
            # The proof cannot have come yet.
            return False
        while len(self._buffer) < PROOF_BYTES:
            # No byte more: what follows belongs to the lane.
            if not self._read(PROOF_BYTES):
                return False
        expected = prove(self._key, CLIENT, self._nonce)
        if not hmac.compare_digest(self._buffer, expected):
            raise HandshakeError(
                "A caller did not know the secret: its proof is wrong. Only proxies "
                "that this server gave out lead to it."
            )
        # What came after the proof is a bell, or the end.
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
            raise ValueError("it said more than a hello before it was welcome")
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
                f"The worker speaks version {hello.version} of the protocol and the "
                f"kernel {PROTOCOL_VERSION}: install the same duck-jupyter in both.",
            )
        try:
            block = host.take_block(bufsize)
        except (DataTooBigError, OSError) as error:
            self._refuse(welcome, f"The kernel cannot make a lane: {error}")
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
        Read what has come, until so many bytes are there.

        Returns:
            False when nothing has come.
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
        Turn it away; twice is fine.
        """
        self.socket.close()
        # A reference to the stranger must not keep the lane mapped.
        lane, self.lane = self.lane, None
        if lane is not None:
            lane.close()

    def __repr__(self) -> str:
        state = "no hello yet" if self.lane is None else "no proof yet"
        return f"<Stranger fd={self.socket.fileno()}, {state}>"
