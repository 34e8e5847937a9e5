"""
The kernel's listening sockets for live calls of an engine's workers.
"""

from __future__ import annotations

import contextlib
import pickle
import threading
from typing import TYPE_CHECKING

from ..client.other_hosts import Way

if TYPE_CHECKING:
    from ..server.server import ProxyServer
    from ..server.stream_door import StreamDoor
    from .engine import Engine

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

    def open(self) -> None:
        """
        Listen at the ways of the engine. Repeated calls do nothing.

        Where this host cannot listen, proxies work on this host only, and say so.
        """
        from ..server.stream_door import open_door  # loads ssl

        with self._lock:
            if self._open:
                return
            for way in self._engine.ways():
                listen = way.listen
                with contextlib.suppress(OSError):
                    context = None if listen is None else listen()
                    door = open_door(self._server, way.host, context)
                    connect = b"" if way.connect is None else pickle.dumps(way.connect)
                    self._open[Way(door.host, door.port, connect)] = door
            link = self._server.link
            link.ways = (*self._open, *link.ways)

    def close(self) -> None:
        """
        Stop listening, and disconnect the workers. Repeated calls do nothing.
        """
        with self._lock:
            doors, self._open = self._open, {}
        if not doors:
            return
        if self._server.running:
            link = self._server.link
            link.ways = tuple(way for way in link.ways if way not in doors)
        for door in doors.values():
            door.close()

    def after_fork(self) -> None:
        """
        In a forked child, forget the sockets, which the server has closed there.
        """
        self._lock = threading.RLock()
        self._open.clear()
