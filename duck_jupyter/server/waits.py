"""
Who waits for what, and who has it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..stats.rows import Wait
from ..transport.lanes import PHASE, STATE, TAKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..objects.table import Entry
    from .server import ProxyServer

__all__ = ["LONG_S", "list_waits"]

#: A call that has blocked its client for so many seconds is a wait.
LONG_S = 1.0


def list_waits(server: ProxyServer) -> tuple[Wait, ...]:
    """
    List those who wait for the lock of an object, and long calls.

    Args:
        server: The server.
    """
    return (*server.locks.waits(), *_long_calls(server))


def _long_calls(server: ProxyServer) -> Iterator[Wait]:
    now = time.monotonic()
    for connection in server.connections():
        payload = connection.payload
        # Claims to locks are listed by those who keep them.
        if connection.words[STATE] & PHASE != TAKEN or not payload or not payload[0]:
            continue
        waited = connection.waited_since(now)
        entry = server.table.entries.get(payload[0])
        if waited >= LONG_S and entry is not None:
            what = f"{entry.path}.{payload[1]}()"
            yield Wait(what, connection.thread.name, _holder(server, entry), waited)


def _holder(server: ProxyServer, entry: Entry) -> str:
    """
    Name the client thread that has entered or acquired an object, if one has.
    """
    for thread in server.clients.threads():
        if any(context.entry is entry for context in thread.contexts):
            return thread.name
    lock = getattr(entry.target, "__self__", entry.target)
    acquired = server.clients.acquired.get(id(lock))
    return "" if acquired is None else acquired.thread.name
