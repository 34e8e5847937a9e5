"""
The listening socket for clients of other hosts, and the threads that serve them.

Each connection has a thread, which blocks until a frame arrives and answers it as the
threads of `loop` answer those in lanes. One more thread accepts clients, and hears from
the system which connections have ended: the thread of a connection may be inside of a
call then.
"""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import threading
import time
from typing import TYPE_CHECKING

from ..errors import HandshakeError, ProxyError
from ..transport.doorbells import Waker
from ..transport.handshake import FIRST_FAR_PID, HANDSHAKE_S
from ..transport.stream_handshake import greet_client, welcome
from ..transport.stream_peer import StreamPeer
from ..transport.streams import DeadlinePassed, Stream
from ..transport.tls import Tls
from .stream_connection import StreamConnection

if TYPE_CHECKING:
    import ssl

    from ..transport.rendezvous import Hello
    from .connections import Connection
    from .door import Door
    from .server import ProxyServer
    from .serving import Serving

__all__ = ["StreamDoor", "doors_of", "open_door"]

BACKLOG = 128
#: Handshakes in progress; the oldest is ended for one more.
MOST_STRANGERS = 64
ENDS = select.EPOLLRDHUP | select.EPOLLET
#: Errors of a stranger that disconnects, is silent, or speaks another protocol.
LEFT = (OSError, EOFError, ValueError, ProxyError, DeadlinePassed)

_far_pids = itertools.count(FIRST_FAR_PID)


def open_door(
    server: ProxyServer,
    host: str,
    context: ssl.SSLContext | None,
    owner: object = None,
) -> StreamDoor:
    """
    Begin to listen for clients of other hosts.

    Args:
        server: The server, which closes the door when it closes.
        host: The address of this host to listen at.
        context: The certificates, or None for connections without TLS.
        owner: For whom it is opened; see `doors_of`.

    Raises:
        OSError: This host does not have the address, or no port is free.
    """
    return StreamDoor(server._start(), host, context, owner)


def doors_of(server: ProxyServer, owner: object) -> list[Door]:
    """
    Return the doors of one owner that are open, also one whose opening was interrupted.
    """
    return [door for door in list(server._start().doors) if door.owner is owner]


class StreamDoor:
    """
    Serves clients of other hosts, until it is closed.

    Args:
        serving: The running part of the server.
        host: The address of this host to listen at.
        context: The certificates, or None for connections without TLS.
        owner: For whom it is opened.
    """

    def __init__(
        self,
        serving: Serving,
        host: str,
        context: ssl.SSLContext | None,
        owner: object = None,
    ) -> None:
        self._serving = serving
        self.owner: object = owner
        self._context = context
        self._lock = threading.Lock()
        self._is_closed = False
        #: Connections in the handshake, oldest first, and those after it.
        self._strangers: dict[Stream, None] = {}
        self._connections: dict[int, Connection] = {}
        self._numbers = itertools.count(1)
        #: The numbers of clients, by their ids.
        self._pids: dict[str, int] = {}
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, 0), family=family, backlog=BACKLOG)
        self._socket.setblocking(False)
        self.host: str = host
        self.port: int = self._socket.getsockname()[1]
        self._waker = Waker()
        self._ends = select.epoll()
        self._ends.register(self._socket, select.EPOLLIN)
        self._ends.register(self._waker.bell, select.EPOLLIN)
        serving.doors.add(self)
        threading.Thread(target=self._watch, name="duck-door", daemon=True).start()

    # -- the thread that accepts -------------------------------------------------

    def _watch(self) -> None:
        while not self._is_closed:
            for number, _ in self._ends.poll():
                if number == self._socket.fileno():
                    self._accept()
                elif number != self._waker.bell.fileno():
                    self._note_end(number)
        self._socket.close()
        self._ends.close()
        self._waker.close()

    def _accept(self) -> None:
        try:
            end, _ = self._socket.accept()
            self.take(end)
        except OSError:  # it has left, or this process has no descriptor left
            return

    def take(self, end: socket.socket) -> None:
        """
        Serve a client that has connected in another way.

        Args:
            end: The connected socket, which this closes.

        Raises:
            OSError: It has disconnected.
        """
        stream = Stream(end)
        with self._lock:
            if self._is_closed:
                stream.close()
                return
            if len(self._strangers) >= MOST_STRANGERS:
                next(iter(self._strangers)).hang_up()
            self._strangers[stream] = None
        threading.Thread(
            target=self._run,
            args=(stream,),
            name=f"duck-stream-{next(self._numbers)}",
            daemon=True,
        ).start()

    def _note_end(self, number: int) -> None:
        """
        Clean up a connection that ended inside of a call; else its thread does.
        """
        with self._lock:
            connection = self._connections.get(number)
        if connection is not None:
            peer = connection.lane
            assert isinstance(peer, StreamPeer)
            peer.is_hung_up = True
            if peer.is_busy:
                self._serving.lose(connection)

    # -- the thread of a connection ----------------------------------------------

    def _run(self, stream: Stream) -> None:
        since = time.monotonic()
        hello = self._shake_hands(stream, since)
        if hello is None:
            stream.hang_up()
            return
        peer = StreamPeer(stream, self._serving.doorway.max_message)
        connection = self._serving.admit(StreamConnection, peer, hello, since)
        if connection is None:
            return
        number = stream.end.fileno()
        with self._lock:
            self._connections[number] = connection
            is_closed = self._is_closed
            if not is_closed:
                self._ends.register(number, ENDS)
        try:
            if not is_closed:
                welcome(stream, peer.max_message)
                stream.deadline = None
                self._serve(connection, peer)
        except LEFT:
            pass
        finally:
            peer.is_over.set()
            with self._lock:
                self._connections.pop(number, None)
                if not self._is_closed:
                    self._ends.unregister(number)
            peer.hang_up()
            self._serving.lose(connection)

    def _shake_hands(self, stream: Stream, since: float) -> Hello | None:
        """
        Return the identity of a client, or None if it is not accepted.
        """
        stream.deadline = since + HANDSHAKE_S
        try:
            if self._context is not None and not stream.is_relayed:
                stream.secure(Tls(self._context, server_side=True))
            return self._named(greet_client(stream, self._serving.doorway.secret))
        except HandshakeError as error:
            self._serving.refuse(error)
        except LEFT:
            pass
        finally:
            with self._lock:
                self._strangers.pop(stream, None)
        return None

    def _named(self, hello: Hello) -> Hello:
        """
        Give a client a number that no process of this host and of others has.
        """
        with self._lock:
            if hello.client not in self._pids:
                self._pids[hello.client] = next(_far_pids)
            hello.far_pid, hello.pid = hello.pid, self._pids[hello.client]
        return hello

    def _serve(self, connection: Connection, peer: StreamPeer) -> None:
        """
        Answer requests until the client disconnects.

        Raises:
            EOFError, OSError, ValueError: It has, or it broke the protocol.
        """
        serving = self._serving
        while True:
            if not peer.receive():
                continue
            # Its end may have been reported before this request was there.
            if peer.is_hung_up or not connection.claim.acquire(blocking=False):
                return
            serving.loop.hurry()
            serving.serve(connection)

    # -- closing -----------------------------------------------------------------

    def close(self) -> None:
        """
        Stop listening, and disconnect all clients. Repeated calls do nothing.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            strangers = list(self._strangers)
            connections = list(self._connections.values())
        self._serving.doors.discard(self)
        # The port is closed at once, the descriptor by the thread that uses it.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._waker.wake()
        for stream in strangers:
            stream.hang_up()
        for connection in connections:
            connection.lane.hang_up()

    def after_fork(self) -> None:
        """
        In a forked child, close what it inherited.
        """
        self._is_closed = True
        self._lock = threading.Lock()
        with contextlib.suppress(OSError):
            self._socket.close()
        self._ends.close()
        self._waker.close()
        for stream in list(self._strangers):
            stream.close()
        for connection in list(self._connections.values()):
            connection.lane.close()

    def __repr__(self) -> str:
        state = " closed" if self._is_closed else ""
        return f"<StreamDoor {self.host}:{self.port}{state}>"
