"""
Locks that `locked(proxy)` takes: one for each object, released when the holder dies.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ..errors import ProxyError, ProxyTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["ObjectLocks"]

#: A waiter whose worker died without a word looks again after this many seconds.
RECHECK_S = 1.0


class ObjectLocks:
    """
    Re-entrant locks, owned by a client thread each, not by a thread of the server.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        #: By the object's id: the object (so that the id stays its own), owner, depth.
        self._held: dict[int, tuple[Any, Hashable, int]] = {}

    def acquire(
        self,
        target: Any,
        owner: Hashable,
        name: str,
        timeout: float | None,
        is_gone: Callable[[], bool],
    ) -> None:
        """
        Wait for an object's lock.

        Args:
            target: The object.
            owner: The client thread.
            name: The object's name, for the message.
            timeout: Seconds, or None.
            is_gone: Says whether the waiter has ended.

        Raises:
            ProxyTimeout: It did not become free in time.
            ProxyError: The waiter has ended.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while True:
                if is_gone():
                    raise ProxyError("The worker that waited for the lock has ended.")
                held = self._held.get(id(target))
                if held is None or held[1] == owner:
                    depth = 0 if held is None else held[2]
                    self._held[id(target)] = (target, owner, depth + 1)
                    return
                wait = RECHECK_S
                if deadline is not None:
                    wait = min(wait, deadline - time.monotonic())
                    if wait <= 0:
                        raise ProxyTimeout(
                            f"The lock of {name} did not become free within {timeout} "
                            "s: another worker, or the notebook, is inside "
                            "locked(...)."
                        )
                self._changed.wait(wait)

    def release(self, target: Any, owner: Hashable, name: str) -> None:
        """
        Give an object's lock back.

        Raises:
            ProxyError: The owner has not got it.
        """
        with self._changed:
            held = self._held.get(id(target))
            if held is None or held[1] != owner:
                raise ProxyError(f"This thread does not hold the lock of {name}.")
            if held[2] > 1:
                self._held[id(target)] = (target, owner, held[2] - 1)
            else:
                del self._held[id(target)]
                self._changed.notify_all()

    def release_all(self, owner: Hashable) -> None:
        """
        Release what an owner that has ended still held, and wake all who wait.
        """
        with self._changed:
            for key, (_, holder, _) in list(self._held.items()):
                if holder == owner:
                    del self._held[key]
            self._changed.notify_all()
