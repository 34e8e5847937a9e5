"""
The messages over a connection of the network before the first frame.

::

    client                                    server
      word, nonce                     ──────>
                                      <──────  nonce, proof
      proof, then hello               ──────>
                                      <──────  largest message, or a refusal

The proofs are those of `handshake`. All that arrives before the other side's proof has
a fixed size, and nothing of it is decoded.
"""

from __future__ import annotations

import hmac
import os
import socket
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from ..errors import HandshakeError
from .handshake import (
    CLIENT,
    NONCE_BYTES,
    PROOF_BYTES,
    PROTOCOL_VERSION,
    SERVER,
    SIZE_BYTES,
    Hello,
    frame,
    key_of,
    message_size,
    new_nonce,
    prove,
    read_hello,
)
from .identity import hello_here

if TYPE_CHECKING:
    from .streams import Stream

__all__ = ["greet_client", "greet_server", "refuse", "welcome"]

#: The first bytes of a client: a word, and the version of these messages.
WORD = b"duckstream\x00\x01"


class Accepted(Struct):
    """
    The server's answer to a hello.
    """

    max_message: int
    refusal: str = ""


_encode = Encoder().encode
_decode = Decoder(Accepted).decode


def greet_client(stream: Stream, secret: bytes) -> Hello:
    """
    Do the server's part, until its answer.

    Args:
        stream: The connection.
        secret: The secret that the client must have.

    Returns:
        The identity of the client, with its host and its number there as its name.

    Raises:
        HandshakeError: It does not have the secret, or uses another version.
        DeadlinePassed, EOFError, OSError, ValueError: As for `Stream.receive`.
    """
    if stream.take(len(WORD)) != WORD:
        raise ValueError("it speaks another protocol")
    key = key_of(secret, bytes(stream.take(NONCE_BYTES)))
    nonce = new_nonce()
    stream.send(nonce, prove(key, SERVER, nonce))
    proof = stream.take(PROOF_BYTES)
    if not hmac.compare_digest(proof, prove(key, CLIENT, nonce)):
        raise HandshakeError(
            "A client on another host tried to connect without the secret of this "
            "server and was refused. Only proxies that this server gave out can "
            "connect to it."
        )
    size = message_size(stream.take(SIZE_BYTES))
    hello = read_hello(stream.take(size))
    if hello.version != PROTOCOL_VERSION:
        refusal = (
            f"The worker must use version {PROTOCOL_VERSION} of the protocol, as the "
            f"kernel does, not {hello.version}. Install the same version of "
            "duck-jupyter in both."
        )
        refuse(stream, refusal)
        raise HandshakeError(refusal)
    return hello


def refuse(stream: Stream, refusal: str) -> None:
    """
    Tell a client why it is not accepted.
    """
    _send(stream, Accepted(0, refusal))


def welcome(stream: Stream, max_message: int) -> None:
    """
    Accept a client.

    Args:
        stream: The connection.
        max_message: The largest message in bytes.
    """
    _send(stream, Accepted(max_message))


def _send(stream: Stream, answer: Accepted) -> None:
    data = _encode(answer)
    stream.send(len(data).to_bytes(SIZE_BYTES, "big"), data)


def greet_server(stream: Stream, secret: bytes, client: str, thread: int) -> int:
    """
    Do the client's part.

    Args:
        stream: The connection.
        secret: The secret that both sides must prove to have.
        client: The id of this process.
        thread: The number of the calling thread within this process.

    Returns:
        The largest message in bytes.

    Raises:
        HandshakeError: The server lacks the secret, or refused.
        DeadlinePassed, EOFError, OSError, ValueError: As for `Stream.receive`.
    """
    hello = hello_here(client, thread, f"{socket.gethostname()}:{os.getpid()}")
    stream.send(WORD, hello.nonce)
    key = key_of(secret, hello.nonce)
    nonce = bytes(stream.take(NONCE_BYTES))
    if not hmac.compare_digest(stream.take(PROOF_BYTES), prove(key, SERVER, nonce)):
        raise HandshakeError(
            "The kernel of this proxy has ended, and another program now has its "
            "address: it does not know the secret. Share the object again and pass "
            "the new proxy."
        )
    stream.send(prove(key, CLIENT, nonce), frame(hello))
    try:
        size = message_size(stream.take(SIZE_BYTES))
    except (EOFError, ConnectionError) as error:
        raise HandshakeError(
            "The kernel refused this worker, which does not know its secret. Share "
            "the object again and pass the new proxy."
        ) from error
    accepted = _decode(stream.take(size))
    if accepted.refusal:
        raise HandshakeError(accepted.refusal)
    return accepted.max_message
