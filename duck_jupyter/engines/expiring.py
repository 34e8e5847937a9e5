"""
Things that a worker keeps for some seconds after their last use.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Expiring"]

_T = TypeVar("_T")
_tables: weakref.WeakSet[Expiring[Any]] = weakref.WeakSet()


class Expiring(Generic[_T]):
    """
    Things by name. Any thread may call it; a forked child starts empty.

    Args:
        idle_s: Seconds that a thing is kept after its last use; up to a quarter longer.
        in_use: Returns whether a thing is in use now.
    """

    def __init__(
        self, idle_s: float, in_use: Callable[[_T], bool] = lambda thing: False
    ) -> None:
        self.idle_s = idle_s
        self._in_use = in_use
        self._start()
        _tables.add(self)

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._things: dict[str, tuple[_T, float]] = {}
        self._thread: threading.Thread | None = None
        self._emptied = threading.Event()

    def keep(self, name: str, thing: _T) -> None:
        """
        Keep a thing from now on, in place of an earlier one.
        """
        with self._lock:
            before = self._things.get(name)
            self._things[name] = thing, time.monotonic()
            if self._thread is None:
                self._emptied.clear()
                self._thread = threading.Thread(
                    target=self._tidy, name="duck-idle", daemon=True
                )
                self._thread.start()
        # Dropping it may take long, so the lock is not held.
        del before

    def drop(self, name: str) -> None:
        """
        Release a thing, if it is kept.
        """
        with self._lock:
            before = self._things.pop(name, None)
            if not self._things:
                self._emptied.set()
        del before

    def _tidy(self) -> None:
        """
        Release what was idle too long, until nothing is left; runs in a thread.
        """
        while True:
            self._emptied.wait(self.idle_s / 4)
            gone = []
            with self._lock:
                now = time.monotonic()
                for name, (thing, used_at) in list(self._things.items()):
                    if self._in_use(thing):
                        self._things[name] = thing, now
                    elif used_at < now - self.idle_s:
                        gone.append(self._things.pop(name))
                if not self._things:
                    self._thread = None
                    return
            gone.clear()

    def after_fork(self) -> None:
        """
        In a forked child, drop everything: a child lacks the thread.
        """
        self._start()


def _after_fork_in_child() -> None:
    for table in list(_tables):
        table.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
