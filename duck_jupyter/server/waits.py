"""
Which threads wait for what, and which threads hold it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..stats.rows import Wait
from ..transport.lanes import PHASE, STATE, TAKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..objects.locks import ObjectLocks
    from ..objects.table import Entry, ObjectTable
    from .clients import Clients
    from .connections import Connection

__all__ = ["LONG_S", "list_waits"]

#: A call that has blocked its client for this many seconds is listed.
LONG_S = 1.0


def list_waits(
    locks: ObjectLocks,
    connections: Iterable[Connection],
    table: ObjectTable,
    clients: Clients,
) -> tuple[Wait, ...]:
    """
    List the threads that wait for the lock of an object, and long calls.

    Args:
        locks: The locks of all objects.
        connections: The client threads that are connected.
        table: The objects.
        clients: The processes of these threads.
    """
    return (*locks.waits(), *_long_calls(connections, table, clients))


def _long_calls(
    connections: Iterable[Connection], table: ObjectTable, clients: Clients
) -> Iterator[Wait]:
    now = time.monotonic()
    for connection in connections:
        payload = connection.payload
        # Claims to locks are listed by `ObjectLocks`.
        if connection.words[STATE] & PHASE != TAKEN or not payload or not payload[0]:
            continue
        waited = connection.waited_since(now)
        entry = table.entries.get(payload[0])
        if waited >= LONG_S and entry is not None:
            what = f"{entry.path}.{payload[1]}()"
            yield Wait(what, connection.thread.name, _holder(clients, entry), waited)


def _holder(clients: Clients, entry: Entry) -> str:
    """
    Return the name of the client thread that has entered or acquired an object, or "".
    """
    for thread in clients.threads():
        if any(context.entry is entry for context in thread.contexts):
            return thread.name
    lock = getattr(entry.target, "__self__", entry.target)
    acquired = clients.acquired.get(id(lock))
    return "" if acquired is None else acquired.thread.name
