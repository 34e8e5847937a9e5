"""
Viewers that send what they are shown somewhere: to a widget, or to whoever listens.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ..session.snapshot import Snapshot, as_plain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Leases", "Listeners"]

#: A front end that looks says so again and again; one that was closed does not. In
#: seconds.
LEASE_S = 60.0


class Leases:
    """
    Who looks, as far as they have said so lately.

    While a cell runs nobody is expected to say anything: where the kernel has one
    thread for messages it could not hear, and where it has more, each message makes
    JupyterLab show an idle kernel.

    Args:
        is_busy: Tells whether a cell runs.
    """

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def renew(self, name: str) -> None:
        """
        Note that somebody looks.
        """
        with self._lock:
            self._until[name] = time.monotonic() + LEASE_S

    def end(self, name: str) -> None:
        """
        Note that somebody looks no longer.
        """
        with self._lock:
            self._until.pop(name, None)

    @property
    def is_any(self) -> bool:
        """
        Somebody looks.
        """
        now = time.monotonic()
        with self._lock:
            if self._is_busy():
                self._until = dict.fromkeys(self._until, now + LEASE_S)
            self._until = {who: end for who, end in self._until.items() if end > now}
            return bool(self._until)


class Listeners:
    """
    All who listen to one channel of messages: a viewer of the ticker.

    Args:
        send: Sends one message.
        leases: Who of them looks.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None], leases: Leases) -> None:
        self._send = send
        self.leases = leases

    @property
    def is_looking(self) -> bool:
        """
        Somebody listens, and looks.
        """
        return self.leases.is_any

    def show(self, snapshot: Snapshot) -> None:
        """
        Send a snapshot.
        """
        self._send({"kind": "snapshot", "snapshot": as_plain(snapshot)})
