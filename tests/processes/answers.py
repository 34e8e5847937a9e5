"""
What workers of these tests say, and whether a lock is free.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.processes.conftest import Crew

__all__ = ["SOON_S", "Answers", "is_free"]

SOON_S = 5.0


class Answers:
    """
    What a worker says, and what it is told in the end.
    """

    def __init__(self, crew: Crew) -> None:
        self.said, self.told = crew.context.SimpleQueue(), crew.context.SimpleQueue()

    def put(self, value: Any) -> None:
        self.said.put(value)

    def get(self) -> Any:
        return self.told.get()

    def hear(self) -> Any:
        """
        Give what the worker says next.
        """
        assert self.said._reader.poll(SOON_S * 2), "it says nothing"
        return self.said.get()

    def release(self) -> None:
        """
        Let the worker end.
        """
        self.told.put(None)


def is_free(lock: Any) -> bool:
    """
    Tell whether a thread of its own gets a lock, and gives it back.
    """
    found = []

    def take() -> None:
        found.append(lock.acquire(True, SOON_S))
        if found[0]:
            lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return bool(found[0])
