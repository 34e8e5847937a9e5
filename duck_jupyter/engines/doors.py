"""
The kernel's listening sockets for live calls of an engine's workers.
"""

from __future__ import annotations

import contextlib
import pickle
import threading
from functools import partial
from typing import TYPE_CHECKING

from ..client.other_hosts import Way
from .asking import Ask
from .live import fetch_by

if TYPE_CHECKING:
    from socket import socket

    from ..server.server import ProxyServer
    from ..server.stream_door import StreamDoor
    from .engine import Engine
    from .engine import Way as EngineWay

__all__ = ["Doors"]


class Doors:
    """
    The sockets of one engine. Any thread may call it.

    Args:
        server: The server of the shared objects.
        engine: The engine.
    """

    def __init__(self, server: ProxyServer, engine: Engine) -> None:
        self._server = server
        self._engine = engine
        self._lock = threading.RLock()
        self._open: dict[Way, StreamDoor] = {}
        #: Whether there may be something to close.
        self._is_used = False
        #: Whether workers also send requests about versions here.
        self.take_requests: bool = False

    def open(self) -> None:
        """
        Listen at the ways of the engine. Repeated calls listen at new ones only.

        Where this host cannot listen, proxies work on this host only, and say so.
        """
        from ..server.stream_door import open_door  # loads ssl

        with self._lock:
            self._is_used = True
            known = {way.host for way in self._open}
            found: dict[Way, StreamDoor] = {}
            for way in self._engine.ways():
                self.take_requests |= isinstance(way.ask, Ask)
                if way.host not in known:
                    with contextlib.suppress(OSError):
                        context = None if way.listen is None else way.listen()
                        door = open_door(self._server, way.host, context, self)
                        found |= dict.fromkeys(_ways_to(door, way), door)
            self._open = found | self._open
            link = self._server.link
            others = [way for way in link.ways if way not in self._open]
            link.ways = (*self._open, *others)

    def take(self, end: socket) -> None:
        """
        Serve a worker whose connection the engine relays.

        Args:
            end: The connected socket, which this closes.
        """
        with self._lock:
            door = next(iter(self._open.values()), None)
        if door is None:
            end.close()
        else:
            door.take(end)

    def close(self) -> None:
        """
        Stop listening, and disconnect the workers. Repeated calls do nothing.
        """
        if not self._is_used:
            return
        from ..server.stream_door import doors_of

        with self._lock:
            ways, self._open = self._open, {}
            self._is_used = False
        if self._server.running:
            link = self._server.link
            link.ways = tuple(way for way in link.ways if way not in ways)
        for door in doors_of(self._server, self):
            door.close()

    def after_fork(self) -> None:
        """
        In a forked child, forget the sockets, which the server has closed there.
        """
        self._lock = threading.RLock()
        self._open.clear()


def _ways_to(door: StreamDoor, way: EngineWay) -> list[Way]:
    """
    Return the ways of workers to a door, the best first.
    """
    connect = b"" if way.connect is None else pickle.dumps(way.connect)
    fetch = b"" if way.ask is None else pickle.dumps(partial(fetch_by, way.ask))
    found = [Way(door.host, door.port, connect, fetch=fetch)]
    if way.relay is not None:
        relay = pickle.dumps(way.relay)
        # The connections of the engine have TLS of their own.
        found.append(Way(door.host, door.port, relay=relay))
    return found
