"""
Whether the kernel's host can be reached directly, where others pass calls on as well.

A connection that nobody answers takes seconds, so it is tried in another thread.
"""

from __future__ import annotations

import _thread
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .other_hosts import Way

__all__ = ["CONNECT_S", "Reach"]

#: Seconds in which the system of the kernel's host accepts a connection.
CONNECT_S = 2.0
#: Seconds that a direct way has before calls are relayed.
HEAD_START_S = 0.15
#: Seconds after which a direct way that failed is tried again.
AGAIN_S = 5.0


class Reach:
    """
    What is known of the direct way to one kernel. Any thread may call it.

    Args:
        way: The direct way.
    """

    def __init__(self, way: Way) -> None:
        self._way = way
        self._lock = threading.Lock()
        self._tried_at = float("-inf")
        self._tried = threading.Event()
        #: Whether the last attempt reached the host.
        self.is_open: bool = False

    def wait(self) -> bool:
        """
        Return whether the host was reached, after a short wait for an attempt.
        """
        self.look()
        if not self.is_open:
            self._tried.wait(HEAD_START_S)
        return self.is_open

    def look(self) -> None:
        """
        Begin an attempt, if the last one was some seconds ago.
        """
        with self._lock:
            now = time.monotonic()
            if self.is_open or now < self._tried_at + AGAIN_S:
                return
            self._tried_at = now
            self._tried = threading.Event()
        # A bare thread: an interrupt inside of Thread.start() would break it.
        _thread.start_new_thread(self._try, (self._tried,))

    def _try(self, tried: threading.Event) -> None:
        try:
            address = self._way.host, self._way.port
            socket.create_connection(address, CONNECT_S).close()
            self.is_open = True
        except OSError:
            self.is_open = False
        finally:
            tried.set()

    def fail(self) -> None:
        """
        Note that a connection has failed.
        """
        self.is_open = False
        self._tried_at = time.monotonic()
