"""
Claims: each holds the lock of an object, or waits for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from .table import Entry

__all__ = ["Claim"]


class Claim:
    """
    One block's claim to an object's lock.

    Args:
        entry: The object.
        owner: The client thread, or the thread of this process.
        worker: Its name, for messages.
        queue: Called once, when the claim must wait.
        tell: Called once, by a thread of the server, when a claim that waited gets the
            lock.
    """

    __slots__ = ("entry", "owner", "queue", "since", "target", "tell", "worker")

    def __init__(
        self,
        entry: Entry,
        owner: Hashable,
        worker: str,
        queue: Callable[[], None],
        tell: Callable[[], None],
    ) -> None:
        self.entry: Entry = entry
        #: The object itself, even if the entry is given another one later.
        self.target: Any = entry.target
        self.owner: Hashable = owner
        self.worker: str = worker
        self.queue: Callable[[], None] = queue
        self.tell: Callable[[], None] = tell
        #: In monotonic seconds.
        self.since: float = time.monotonic()

    def __repr__(self) -> str:
        return f"<Claim to {self.entry.path} of {self.worker}>"
