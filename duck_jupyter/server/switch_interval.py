"""
How long a thread may keep the interpreter before another thread's turn.

A cell that computes in pure Python keeps the interpreter for the switch interval, 5 ms,
each time a request arrives. While requests arrive, the interval is shorter; afterwards
it is restored.
"""

from __future__ import annotations

import sys
import threading

__all__ = ["BUSY_INTERVAL_S", "ShortInterval"]

BUSY_INTERVAL_S = 0.0005

_lock = threading.Lock()
_users: set[ShortInterval] = set()
_before = 0.0


class ShortInterval:
    """
    One server's request for a short interval; the last release restores the interval.
    """

    def __init__(self) -> None:
        self.wanted: bool = False

    def want(self) -> None:
        """
        Shorten the interval, until `release`.
        """
        global _before
        self.wanted = True
        with _lock:
            if not _users and sys.getswitchinterval() > BUSY_INTERVAL_S:
                _before = sys.getswitchinterval()
                sys.setswitchinterval(BUSY_INTERVAL_S)
            _users.add(self)

    def release(self) -> None:
        """
        Restore the interval, unless other code has set another one meanwhile.
        """
        global _before
        self.wanted = False
        with _lock:
            _users.discard(self)
            if _users or not _before:
                return
            # Python converts the interval to whole microseconds, rounded down.
            if abs(sys.getswitchinterval() - BUSY_INTERVAL_S) < 2e-6:
                sys.setswitchinterval(_before)
            _before = 0.0
