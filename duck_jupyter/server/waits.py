"""
Who waits for what, and who has it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from ..transport.lanes import PHASE, STATE, TAKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .objects import Entry
    from .server import ProxyServer

__all__ = ["LONG_S", "Wait", "list_waits"]

#: A call that has blocked its client for so many seconds is a wait.
LONG_S = 1.0


class Wait(NamedTuple):
    """
    A client thread that waits.
    """

    #: What it waits for: ``"locked(counter)"``, or a call such as ``"items.get()"``.
    what: str
    #: Who waits: a process's name and pid, and its thread where that is not the main
    #: one.
    worker: str
    #: Who holds what it waits for; empty where that is not known.
    holder: str
    #: For how many seconds.
    waited_s: float


def list_waits(server: ProxyServer) -> tuple[Wait, ...]:
    """
    List those who wait for the lock of an object, and long calls.

    Args:
        server: The server.
    """
    return (*server.locks.waits(), *_long_calls(server))


def _long_calls(server: ProxyServer) -> Iterator[Wait]:
    now = time.monotonic()
    for caller in server.callers():
        payload = caller.payload
        # Claims to locks are listed by those who keep them.
        if caller.words[STATE] & PHASE != TAKEN or not payload or not payload[0]:
            continue
        waited = caller.blocked_since(now)
        entry = server.table.entries.get(payload[0])
        if waited >= LONG_S and entry is not None:
            what = f"{entry.path}.{payload[1]}()"
            yield Wait(what, caller.thread.name, _holder(server, entry), waited)


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
