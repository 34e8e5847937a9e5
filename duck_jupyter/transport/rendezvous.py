"""
How a client and a server connect.

The server's socket is in a folder that only its user may enter. Each side asks the
system for the user of the other process, and then they shake hands (see `handshake`).
"""

from __future__ import annotations

import contextlib
import hmac
import multiprocessing
import os
import select
import socket
import tempfile
import threading
import time
from pathlib import Path

from ..errors import DataTooBigError, HandshakeError, KernelGone, ProxyTimeout
from ..interrupts import is_of_signal_handler
from ..memory.blocks import Block
from ..memory.leftovers import SOCKET_NAME, folder_prefix, hold, remove_folder, sweep
from ..memory.spool import SpoolWarning, follow_spool
from .handshake import (
    CLIENT,
    HANDSHAKE_S,
    NO_PROOF,
    PROTOCOL_VERSION,
    SERVER,
    SIZE_BYTES,
    Hello,
    Welcome,
    frame,
    key_of,
    message_size,
    other_user,
    prove,
    read_welcome,
)
from .identity import hello_here
from .lanes import Lane, lane_bytes
from .pending_handshakes import Stranger
from .received_descriptors import Received

__all__ = ["PROTOCOL_VERSION", "Doorway", "Hello", "close_inherited", "connect"]

#: The system's limit for a socket's path is 104 to 108 bytes.
PATH_BYTES = 100
BACKLOG = 256
#: Seconds between two attempts while the queue is full; no event tells of free space.
CALL_AGAIN_S = 0.005
#: The folder in which the system lists the descriptors of the calling process.
DESCRIPTORS = "/dev/fd"


class Doorway:
    """
    The server's side: a listening socket in a private folder.

    Args:
        secret: The secret that a client must have.
        bufsize: Size in bytes for one frame in the lanes made here.
        max_message: The largest message in bytes.
    """

    def __init__(self, secret: bytes, bufsize: int, max_message: int) -> None:
        self.secret = secret
        self.bufsize = bufsize
        self._largest = bufsize
        self.max_message = max_message
        #: The pending handshakes, oldest first.
        self._strangers: dict[Stranger, None] = {}
        #: Held while the sockets and their numbers are used or closed. The thread that
        #: holds it may collect a server, and then close that server's doorway.
        self.lock: threading.RLock = threading.RLock()
        self._closed = False
        #: The block of the next lane, made in advance.
        self._block: Block | None = None
        self.prepare_block()
        sweep()
        self._folder, self._held = _make_folder()
        self.address: str = str(self._folder / SOCKET_NAME)
        self.socket: socket.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(self.address)
        self.socket.listen(BACKLOG)
        self.socket.setblocking(False)

    def accept(self) -> Stranger | None:
        """
        Accept one client as a pending handshake; None if none waits.

        Raises:
            OSError: This process has no descriptor for it, or the system has no memory.
                The client keeps waiting.
        """
        with self.lock:
            if self._closed:
                return None
            self._hang_up_on_the_slow()
            try:
                caller, _ = self.socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return None
            caller.setblocking(False)
            stranger = Stranger(caller, self)
            self._strangers[stranger] = None
            return stranger

    def _hang_up_on_the_slow(self) -> None:
        latest = time.monotonic() - HANDSHAKE_S
        first = next(iter(self._strangers), None)
        if first is None or first.since > latest:
            return
        for stranger in list(self._strangers):
            if stranger.since > latest:
                return
            # Not closed: the thread that waits for its socket detects the end there.
            with contextlib.suppress(OSError):
                stranger.socket.shutdown(socket.SHUT_RDWR)

    def greet(self, stranger: Stranger) -> bool:
        """
        Continue a handshake; returns and raises like `Stranger.advance`.
        """
        with self.lock:
            over = stranger.advance()
            if over:
                self._strangers.pop(stranger, None)
            return over

    def allow(self, bufsize: int) -> None:
        """
        Allow clients a buffer of this size, if they request it.
        """
        self._largest = max(self._largest, bufsize)

    def bufsize_for(self, asked: int) -> int:
        """
        Return the size in bytes of the buffer of the next lane.

        Args:
            asked: The size that its client requests.
        """
        return min(max(asked, self.bufsize), self._largest)

    def take_block(self, bufsize: int) -> Block:
        """
        Return the block of the next lane.

        Args:
            bufsize: Size of its buffer in bytes.

        Raises:
            DataTooBigError: There is no space for it.
        """
        if bufsize != self.bufsize:
            return Block.create_growing(lane_bytes(bufsize))
        block, self._block = self._block, None
        return block or self._make_block()

    @property
    def is_prepared(self) -> bool:
        """
        Whether the block of the next lane was made.
        """
        return self._block is not None

    def prepare_block(self) -> None:
        """
        Make the block of the next lane before a client waits for it.
        """
        if self.is_prepared:
            return
        with self.lock:
            if self._block is None and not self._closed:
                # If there is no space, the next client gets the error.
                with contextlib.suppress(DataTooBigError, SpoolWarning, OSError):
                    self._block = self._make_block()

    def _make_block(self) -> Block:
        return Block.create_growing(lane_bytes(self.bufsize))

    def dismiss(self, stranger: Stranger) -> None:
        """
        Disconnect a pending handshake. Repeated calls do nothing.
        """
        with self.lock:
            self._strangers.pop(stranger, None)
            stranger.close()

    def close(self, *, here: bool = True) -> None:
        """
        Stop listening, and disconnect all pending handshakes.

        Args:
            here: False in a forked child, whose copies of the sockets are closed while
                the folder stays the parent's.
        """
        if not here:
            # A thread that does not exist in the child may hold it.
            self.lock = threading.RLock()
        with self.lock:
            self._closed = True
            self.socket.close()
            self._block = None
            for stranger in list(self._strangers):
                self.dismiss(stranger)
        if here:
            with contextlib.suppress(OSError):
                remove_folder(self._folder, self._held)
        held, self._held = self._held, -1
        if held >= 0:
            os.close(held)


def connect(
    address: str,
    secret: bytes,
    client: str,
    thread: int,
    within_s: float | None = None,
    bufsize: int = 0,
) -> Lane:
    """
    Connect to a server and return a lane, which the server accepts at the first bell.

    Args:
        address: The path of its socket.
        secret: The secret that both sides must prove to have.
        client: The id of this process.
        thread: The number of the calling thread within this process.
        within_s: Seconds to wait; at most `HANDSHAKE_S`, which is the default.
        bufsize: Size of the buffer to request, in bytes; the server's own by default.

    Raises:
        KernelGone: No server listens at the address any more.
        HandshakeError: The server has another user, lacks the secret, or refused.
        ProxyTimeout: It did not answer in time.
    """
    patience_s = HANDSHAKE_S if within_s is None else min(within_s, HANDSHAKE_S)
    deadline = time.monotonic() + patience_s
    received = Received()
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _call(caller, address, deadline)
        # Done while the server accepts the connection.
        name = multiprocessing.current_process().name
        hello = hello_here(client, thread, name, bufsize)
        _limit(caller, deadline)
        caller.sendall(frame(hello))
        # Done while the server answers: the first digest after a fork takes some 60 us.
        key = key_of(secret, hello.nonce)
        user = other_user(caller)
        if user is not None:
            raise PermissionError(f"its process is of user {user}")
        welcome = _read_welcome(caller, received, deadline)
        if not hmac.compare_digest(welcome.proof, prove(key, SERVER, welcome.nonce)):
            with contextlib.suppress(OSError):
                caller.send(NO_PROOF)
            raise PermissionError("it does not know the secret")
        if welcome.refusal:
            raise HandshakeError(welcome.refusal)
        if not received:
            raise EOFError("it sent no block")
        block = Block.take_over(received, lane_bytes(welcome.bufsize))
        lane = Lane(block, welcome.bufsize, caller, welcome.max_message)
        if welcome.spool:
            follow_spool(welcome.spool)
        caller.setblocking(False)
        # The server wakes once for the proof and the first request.
        lane.bell = prove(key, CLIENT, welcome.nonce)
        return lane
    except (PermissionError, ValueError) as error:
        caller.close()
        if isinstance(error, HandshakeError) or is_of_signal_handler(error):
            raise
        raise HandshakeError(
            "This proxy belongs to another user's kernel, or its kernel ended and "
            f"another program now has the address ({type(error).__name__}: {error}). "
            "Only processes of the user who shared the object may use it."
        ) from error
    except (BlockingIOError, TimeoutError) as error:
        caller.close()
        if is_of_signal_handler(error):
            raise
        raise ProxyTimeout(
            f"The kernel did not accept this worker's connection within {patience_s:g} "
            "s: it is stopped, or it runs code that holds the interpreter's lock. Try "
            "again later."
        ) from error
    except (OSError, EOFError) as error:
        caller.close()
        if is_of_signal_handler(error):
            raise
        raise KernelGone(
            "The kernel that shared this object has ended, or stopped its server "
            f"({type(error).__name__}: {error}). Share the object again and pass the "
            "new proxy."
        ) from error
    except BaseException:
        caller.close()
        raise
    finally:
        received.close()


def _call(caller: socket.socket, address: str, deadline: float) -> None:
    caller.setblocking(False)
    while not _is_taken(caller, address):
        if time.monotonic() > deadline:
            raise BlockingIOError("the queue of connections is full")
        # Not an Event: an interrupt inside of it breaks its lock.
        select.select((), (), (), CALL_AGAIN_S)


def _is_taken(caller: socket.socket, address: str) -> bool:
    try:
        caller.connect(address)
    except BlockingIOError:  # the queue of connections is full
        return False
    return True


def _limit(caller: socket.socket, deadline: float) -> None:
    # A timeout of 0 raises BlockingIOError, which is handled in the same way.
    caller.settimeout(max(deadline - time.monotonic(), 0))


def _read_welcome(
    caller: socket.socket, received: Received, deadline: float
) -> Welcome:
    start = bytearray(SIZE_BYTES)
    # A server sends it in one piece, with the descriptor at the first byte.
    received.receive(caller, start)
    if not any(start):
        raise EOFError("it closed the connection")
    size = message_size(start)
    data = b""
    while len(data) < size:
        _limit(caller, deadline)
        more = caller.recv(size - len(data))
        if not more:
            raise EOFError("it closed the connection")
        data += more
    return read_welcome(data)


def close_inherited(*addresses: object) -> None:
    """
    In a child of fork, close every socket between the parent and a server's clients.

    This includes sockets without an owner at the fork, from a handshake in progress. As
    long as one is open here, the other side does not detect the parent's end.

    Args:
        addresses: The path of the server's socket, or its host and port.
    """
    with Path(os.devnull).open("rb") as nothing:
        for name in [path.name for path in Path(DESCRIPTORS).iterdir()]:
            with contextlib.suppress(OSError):
                end = socket.socket(fileno=int(name))
                try:
                    ends = {end.getsockname(), end.getpeername()}
                    ours = not ends.isdisjoint(addresses)
                finally:
                    end.detach()
                if ours:
                    # Not closed: an object may close the number once more.
                    os.dup2(nothing.fileno(), int(name), inheritable=False)


def _make_folder() -> tuple[Path, int]:
    """
    Make a folder for a socket.

    Returns:
        Its path, and a descriptor that prevents its removal by a sweep.
    """
    parent = None
    while True:
        folder = Path(tempfile.mkdtemp(prefix=folder_prefix(), dir=parent))
        if len(str(folder / SOCKET_NAME).encode()) > PATH_BYTES and parent is None:
            folder.rmdir()
            parent = "/tmp"
            continue
        # A sweep in another process may have removed it before it was locked.
        with contextlib.suppress(FileNotFoundError):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            if hold(fd):
                return folder, fd
            os.close(fd)
