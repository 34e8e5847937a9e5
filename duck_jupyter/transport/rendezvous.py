"""
How a client and a server meet, and know each other, before any frame is read.

The server's socket lies in a folder that only its user may enter. Both sides prove
that they have the secret (`multiprocessing.connection`'s challenge), then exchange one
message each, then the server passes the descriptor of the new lane's block.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import tempfile
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import (
    Connection,
    answer_challenge,
    deliver_challenge,
)
from pathlib import Path

import msgspec

from ..errors import DataTooBigError, HandshakeError, KernelGone, ProxyTimeout
from ..memory.blocks import Block
from ..memory.janitor import SOCKET_NAME, folder_prefix, hold, remove_folder, sweep
from ..memory.room import chosen_spool, follow_spool
from .lanes import Lane, lane_bytes

__all__ = ["Doorway", "Hello", "close_inherited", "connect"]

PROTOCOL_VERSION = 2
HANDSHAKE_S = 10.0
HELLO_BYTES = 4096
#: The system's limit on a socket's path is 104 to 108 bytes.
PATH_BYTES = 100
BACKLOG = 256
#: Where the system lists the descriptors of the process that looks.
DESCRIPTORS = "/dev/fd"


class Hello(msgspec.Struct):
    """
    What a client says of itself.
    """

    version: int
    #: One for each process; it stays the same for all lanes of the process.
    client: str
    #: One for each thread of the process.
    thread: int
    pid: int
    process_name: str
    thread_name: str


class Welcome(msgspec.Struct):
    """
    What the server answers.
    """

    version: int
    bufsize: int
    max_message: int
    #: Where blocks go that do not fit in memory, if the server's user chose that.
    spool: str = ""
    refusal: str | None = None


class Doorway:
    """
    The server's side: a listening socket in a private folder.

    Args:
        secret: What a client must have.
        bufsize: Bytes for one frame in the lanes made here.
        max_message: The largest message in bytes.
    """

    def __init__(self, secret: bytes, bufsize: int, max_message: int) -> None:
        self.secret = secret
        self.bufsize = bufsize
        self.max_message = max_message
        #: Who is shaking hands, and since when.
        self._strangers: dict[socket.socket, float] = {}
        sweep()
        self._folder, self._held = _make_folder()
        self.address = str(self._folder / SOCKET_NAME)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(self.address)
        self.socket.listen(BACKLOG)
        self.socket.setblocking(False)

    def accept(self) -> socket.socket | None:
        """
        Take one caller, who is a stranger still; None where none waits.
        """
        try:
            caller, _ = self.socket.accept()
        except OSError:
            return None
        caller.setblocking(True)
        now = time.monotonic()
        for stranger, since in list(self._strangers.items()):
            if now - since > HANDSHAKE_S:
                _hang_up(stranger)  # one byte now and then is no handshake
        self._strangers[caller] = now
        return caller

    def admit(self, caller: socket.socket) -> tuple[Lane, Hello]:
        """
        Let a caller prove itself, and give it a lane.

        Returns:
            The server's end, and what the client said of itself.

        Raises:
            HandshakeError: It is not of this user, has not the secret, or speaks
                another version. The socket is closed.
            EOFError, OSError: It went away, or was silent for too long.
        """
        try:
            _require_same_user(caller)
            connection = _limited_connection(caller)
            deliver_challenge(connection, self.secret)
            answer_challenge(connection, self.secret)
            hello = msgspec.msgpack.decode(
                connection.recv_bytes(HELLO_BYTES), type=Hello
            )
            refusal = None
            if hello.version != PROTOCOL_VERSION:
                refusal = (
                    f"The worker speaks version {hello.version} of the protocol and "
                    f"the kernel {PROTOCOL_VERSION}: install the same duck-jupyter "
                    "in both."
                )
            try:
                block = Block.create_growing(lane_bytes(self.bufsize))
            except DataTooBigError as error:
                refusal = refusal or f"The kernel cannot make a lane. {error}"
            welcome = Welcome(
                PROTOCOL_VERSION,
                self.bufsize,
                self.max_message,
                chosen_spool(),
                refusal,
            )
            connection.send_bytes(msgspec.msgpack.encode(welcome))
            if refusal:
                raise HandshakeError(refusal)
            socket.send_fds(caller, [b"L"], [block.descriptor.fileno()])
        except (AuthenticationError, AssertionError) as error:
            # Before Python 3.12 what is no challenge fails an assertion.
            caller.close()
            raise HandshakeError(
                f"A caller did not know the secret: {error}. Only proxies that this "
                "server gave out lead to it."
            ) from error
        except BaseException:
            caller.close()
            raise
        finally:
            self._strangers.pop(caller, None)
        return Lane(block, self.bufsize, caller, self.max_message), hello

    def close(self, *, here: bool = True) -> None:
        """
        Stop listening.

        Args:
            here: False in a forked child, whose copy of the socket goes while the
                folder stays the parent's.
        """
        self.socket.close()
        if here:
            for stranger in list(self._strangers):
                _hang_up(stranger)
            with contextlib.suppress(OSError):
                remove_folder(self._folder, self._held)
        held, self._held = self._held, -1
        if held >= 0:
            os.close(held)


def connect(address: str, secret: bytes, hello: Hello) -> Lane:
    """
    Call a server and get a lane to it.

    Args:
        address: The path of its socket.
        secret: What it wants to see proved.
        hello: What this client is.

    Raises:
        KernelGone: Nobody listens there, or not any more.
        HandshakeError: The server is another user's, or refused.
    """
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        caller.settimeout(HANDSHAKE_S)
        caller.connect(address)
        caller.settimeout(None)
        with _limited_connection(caller) as connection:
            answer_challenge(connection, secret)
            deliver_challenge(connection, secret)
            connection.send_bytes(msgspec.msgpack.encode(hello))
            welcome = msgspec.msgpack.decode(
                connection.recv_bytes(HELLO_BYTES), type=Welcome
            )
        if welcome.refusal:
            raise HandshakeError(welcome.refusal)
        _, fds, _, _ = socket.recv_fds(caller, 1, 1)
        if not fds:
            raise EOFError("it closed the connection")
        follow_spool(welcome.spool)
        block = Block(fds[0], lane_bytes(welcome.bufsize))
        return Lane(block, welcome.bufsize, caller, welcome.max_message)
    except (PermissionError, AuthenticationError, AssertionError, ValueError) as error:
        # Before Python 3.12 what is no challenge fails an assertion.
        caller.close()
        if isinstance(error, HandshakeError):
            raise
        raise HandshakeError(
            "This proxy belongs to another user's kernel, or to a kernel that ended "
            f"and left its address to another ({type(error).__name__}: {error}). Only "
            "processes of the user who shared the object may use it."
        ) from error
    except (BlockingIOError, TimeoutError) as error:
        caller.close()
        raise ProxyTimeout(
            f"The kernel did not take this worker's call within {HANDSHAKE_S:.0f} s: "
            "it is stopped, or inside code that keeps the interpreter. Try again later."
        ) from error
    except (OSError, EOFError) as error:
        caller.close()
        raise KernelGone(
            "The kernel that shared this object has ended, or stopped its server "
            f"({type(error).__name__}: {error}). Share the object again and pass the "
            "new proxy."
        ) from error
    except BaseException:
        caller.close()
        raise


def _hang_up(caller: socket.socket) -> None:
    # Whoever reads from it in another thread finds the end.
    with contextlib.suppress(OSError):
        caller.shutdown(socket.SHUT_RDWR)


def close_inherited(address: str) -> None:
    """
    In a child of fork, give up every socket between its parent and a server's callers.

    Also those that no object knew at that moment, since a handshake was under way: as
    long as one is open here, the other side does not learn of the parent's end.

    Args:
        address: The path of the server's socket.
    """
    with Path(os.devnull).open("rb") as nothing:
        for name in [path.name for path in Path(DESCRIPTORS).iterdir()]:
            with contextlib.suppress(OSError):
                end = socket.socket(fileno=int(name))
                try:
                    ours = address in (end.getsockname(), end.getpeername())
                finally:
                    end.detach()
                if ours:
                    # Not closed: an object may close the number once more.
                    os.dup2(nothing.fileno(), int(name), inheritable=False)


def _limited_connection(caller: socket.socket) -> Connection:
    # The system's own limit: Connection reads and writes the descriptor itself.
    limit = struct.pack("ll", int(HANDSHAKE_S), 0)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        caller.setsockopt(socket.SOL_SOCKET, option, limit)
    return Connection(os.dup(caller.fileno()))


def _require_same_user(caller: socket.socket) -> None:
    if sys.platform == "linux":
        size = struct.calcsize("3i")
        credentials = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        _, user, _ = struct.unpack("3i", credentials)
        if user != os.geteuid():
            raise HandshakeError(f"A process of user {user} was turned away.")


def _make_folder() -> tuple[Path, int]:
    """
    Make a folder for a socket.

    Returns:
        Its path, and a descriptor that keeps it from being swept up.
    """
    parent = None
    while True:
        folder = Path(tempfile.mkdtemp(prefix=folder_prefix(), dir=parent))
        if len(str(folder / SOCKET_NAME).encode()) > PATH_BYTES and parent is None:
            folder.rmdir()
            parent = "/tmp"
            continue
        # A sweep in another process may have met it before it was held.
        with contextlib.suppress(FileNotFoundError):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            if hold(fd):
                return folder, fd
            os.close(fd)
