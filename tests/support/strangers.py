"""
A client that shakes hands by hand, as well or as badly as a test likes.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from duck_jupyter.memory.blocks import Block
from duck_jupyter.transport.handshake import (
    CLIENT,
    PROOF_BYTES,
    PROTOCOL_VERSION,
    SERVER,
    SIZE_BYTES,
    Hello,
    Welcome,
    frame,
    key_of,
    message_size,
    prove,
    read_welcome,
)
from duck_jupyter.transport.lanes import Lane, lane_bytes
from duck_jupyter.transport.received_descriptors import Received

if TYPE_CHECKING:
    from typing_extensions import Self

    from duck_jupyter.proxy import ProxyServer
    from duck_jupyter.server.admission import Door
    from duck_jupyter.transport.rendezvous import Doorway

__all__ = ["RawStranger", "door_of", "doorway_of", "hello"]

DEADLINE_S = 20.0


def hello(version: int = PROTOCOL_VERSION, client: str = "raw") -> Hello:
    """
    Give what a client of the tests says of itself.
    """
    return Hello(version, client, 1, os.getpid(), "test-raw", "main", 1)


def doorway_of(server: ProxyServer) -> Doorway:
    """
    Give where a running server is called.
    """
    assert server._serving is not None
    doorway: Doorway = server._serving.doorway
    return doorway


def door_of(server: ProxyServer) -> Door:
    """
    Give what sees to the strangers of a running server.
    """
    assert server._serving is not None
    door: Door = server._serving.loop.door
    return door


class RawStranger:
    """
    A connection to a server, and one step of the handshake for each method.

    Args:
        address: The path of the server's socket.
        secret: What proofs are made of.
    """

    def __init__(self, address: str, secret: bytes = b"") -> None:
        self.secret = secret
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE_S)
        self.received = Received()
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self.key = b""
        self.welcome: Any = None

    def say(self, data: bytes) -> None:
        """
        Send bytes.
        """
        self.socket.sendall(data)

    def introduce(self, said: Hello | None = None, at_once: int | None = None) -> None:
        """
        Send a hello.

        Args:
            said: The hello.
            at_once: So many bytes at a time, or None for all of them.
        """
        said = hello() if said is None else said
        self.key = key_of(self.secret, said.nonce)
        data = frame(said)
        step = at_once or len(data)
        for start in range(0, len(data), step):
            self.say(data[start : start + step])

    def read_welcome(self) -> Welcome:
        """
        Read the answer, and the descriptor that comes with it.

        Raises:
            EOFError: The server hung up.
        """
        start = bytearray(SIZE_BYTES)
        self.received.receive(self.socket, start)
        if not any(start):
            raise EOFError("the server hung up")
        size = message_size(start)
        welcome = read_welcome(self.socket.recv(size, socket.MSG_WAITALL))
        self.welcome = welcome
        return welcome

    def knows_secret(self) -> bool:
        """
        Tell whether the server's proof is right.
        """
        return bool(self.welcome.proof == prove(self.key, SERVER, self.welcome.nonce))

    def proof(self) -> bytes:
        """
        Make this side's proof.
        """
        data = prove(self.key, CLIENT, self.welcome.nonce)
        assert len(data) == PROOF_BYTES
        return data

    def lane(self) -> Lane:
        """
        Give the lane, which is the socket's owner from here on.
        """
        self.socket.setblocking(False)
        block = Block.take_over(self.received, lane_bytes(self.welcome.bufsize))
        return Lane(block, self.welcome.bufsize, self.socket, self.welcome.max_message)

    def is_hung_up_on(self) -> bool:
        """
        Read until the other side hangs up; it has `DEADLINE_S` for it.
        """
        try:
            while self.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self) -> None:
        """
        Leave; twice is fine.
        """
        self.received.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
