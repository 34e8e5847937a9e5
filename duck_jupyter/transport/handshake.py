"""
The messages between a client and a server before the first frame.

::

    client                                    server
      hello: what it is, a nonce      ──────>
                                      <──────  welcome: a nonce, a proof, and the
                                               descriptor of the lane's block
      the first request, in the lane
      proof, which is the first bell  ──────>  reads the lane once the proof is right

The key of a connection is the keyed BLAKE2b digest (RFC 7693) of the client's nonce
under the secret, and a proof is that of the server's nonce under this key. The nonces
are new for each connection, so a proof is not valid in another connection. The two
sides put different words before the nonce, so neither can send the other's proof back.

BLAKE2b is Python's own code: the first digest of a forked process takes 60 to 80 us.
OpenSSL's HMAC takes 160 to 200 us, because it writes to more pages that the parent
shares.
"""

from __future__ import annotations

import os
import secrets
import socket
import struct
import sys
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct, field
from msgspec.msgpack import Decoder, Encoder

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Hello",
    "Welcome",
    "frame",
    "key_of",
    "message_size",
    "other_user",
    "prove",
    "read_hello",
    "read_welcome",
    "worker_of",
]

PROTOCOL_VERSION = 2
#: The time limit of the whole handshake in seconds, on either side.
HANDSHAKE_S = 10.0
#: The largest message without its size: it has names, and the path of a spool folder.
MESSAGE_BYTES = 8192
SIZE_BYTES = 4
NONCE_BYTES = 16
PROOF_BYTES = 32
#: Sent by a client that does not trust the server. It is not a valid proof, so the
#: server's log shows it.
NO_PROOF = bytes(PROOF_BYTES)
#: The socket's data about the process at its other end: its number, user and group.
CREDENTIALS = struct.Struct("3i")
#: Above the numbers of all processes of this host (``pid_max``, proc(5)): the server
#: gives such numbers to processes of other hosts.
FIRST_FAR_PID = 1 << 22
SERVER = b"server"
CLIENT = b"client"

Nonce = Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
new_nonce: Callable[[], bytes] = partial(secrets.token_bytes, NONCE_BYTES)


class Hello(Struct):
    """
    The identity that a client sends.
    """

    version: int
    #: An id of the process; it is the same for all lanes of the process.
    client: str
    #: The number of the client thread within its process.
    thread: int
    pid: int
    process_name: str
    thread_name: str
    #: The system's number of the client thread.
    native_id: int
    nonce: Nonce = field(default_factory=new_nonce)
    #: The requested size of the buffer in bytes; 0 is the server's own size.
    bufsize: int = 0
    #: The address by which a cluster knows the process, or nothing.
    worker: str = ""
    #: The number of a process of another host on that host. The server sets it, and
    #: gives the process another `pid`.
    far_pid: int = 0


class Welcome(Struct):
    """
    The server's answer.
    """

    version: int
    bufsize: int
    max_message: int
    nonce: Nonce
    proof: bytes
    #: The folder for blocks that do not fit in memory, if the server's user set one.
    spool: str = ""
    refusal: str | None = None


_encode = Encoder().encode
read_hello: Callable[[bytes | bytearray], Hello] = Decoder(Hello).decode
read_welcome: Callable[[bytes], Welcome] = Decoder(Welcome).decode


def worker_of(hello: Hello, thread: str = "") -> str:
    """
    Return the name of a client in messages.

    Args:
        hello: Its identity.
        thread: The name of its thread, or nothing.
    """
    pid = hello.far_pid or hello.pid
    # It may be in the name of a process on another host.
    facts = [] if hello.process_name.endswith(f":{pid}") else [f"pid {pid}"]
    facts += [f"thread {thread}"] if thread else []
    return f"{hello.process_name} ({', '.join(facts)})" if facts else hello.process_name


def frame(message: Hello | Welcome) -> bytes:
    """
    Encode a message, with its size before it.
    """
    data = _encode(message)
    return len(data).to_bytes(SIZE_BYTES, "big") + data


def message_size(start: bytes | bytearray) -> int:
    """
    Read the size of a message from its first bytes.

    Raises:
        ValueError: The size is out of range.
    """
    size = int.from_bytes(start[:SIZE_BYTES], "big")
    if not 0 < size <= MESSAGE_BYTES:
        raise ValueError(f"a message of {size} bytes was announced")
    return size


def key_of(secret: bytes, nonce: bytes) -> bytes:
    """
    Make the key of one connection.

    Args:
        secret: The secret.
        nonce: The client's nonce.
    """
    return blake2b(nonce, key=secret, digest_size=PROOF_BYTES).digest()


def prove(key: bytes, side: bytes, nonce: bytes) -> bytes:
    """
    Make the proof that one side has the secret.

    Args:
        key: The key of the connection.
        side: `SERVER` or `CLIENT`.
        nonce: The server's nonce.
    """
    return blake2b(side + nonce, key=key, digest_size=PROOF_BYTES).digest()


def other_user(end: socket.socket) -> int | None:
    """
    Return the user of the process at the other end, if it is not this one's.

    Returns:
        None if it is the same user, or if the system cannot tell.
    """
    if sys.platform != "linux":
        return None
    found = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    _, user, _ = CREDENTIALS.unpack(found)
    return None if user == os.geteuid() else int(user)
