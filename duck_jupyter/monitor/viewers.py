"""
Viewers that forward snapshots: to a widget, or to all listeners of a comm.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from ..session.snapshot import Snapshot, as_plain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PERIOD_S", "SLOWEST_S", "Leases", "Listeners"]

#: Seconds between two snapshots, unless a viewer requests fewer.
PERIOD_S = 0.25
#: Longest interval that a viewer may request, in seconds.
SLOWEST_S = 10.0

#: A visible front end renews its lease repeatedly; a closed one does not. In seconds.
LEASE_S = 60.0


class Lease(NamedTuple):
    """
    The lease of one viewer.
    """

    until: float
    #: Seconds between two snapshots.
    period_s: float
    #: Whether the viewer has disconnected, and may come back under another name.
    is_leaving: bool = False


class Leases:
    """
    The viewers that have renewed their lease recently.

    Leases do not expire while a cell runs: a kernel with one thread for messages could
    not receive a renewal, and with several threads, each message makes JupyterLab show
    an idle kernel.

    Args:
        is_busy: Returns whether a cell runs.
    """

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {}

    def renew(self, name: str, period_s: float = PERIOD_S) -> None:
        """
        Renew the lease of a viewer.

        Args:
            name: The name of the viewer.
            period_s: Seconds between two snapshots, as it requests them.
        """
        period_s = min(max(period_s, PERIOD_S), SLOWEST_S)
        lease = Lease(time.monotonic() + LEASE_S, period_s)
        with self._lock:
            self._leases[name] = lease

    def end(self, name: str, *, after_s: float = 0.0) -> None:
        """
        End the lease of a viewer.

        Args:
            name: The name of the viewer.
            after_s: Seconds during which it may come back: a reloaded page is there
                before its kernel can receive its messages.
        """
        now = time.monotonic()
        with self._lock:
            lease = self._leases.pop(name, None)
            if lease is not None and after_s > 0:
                until = min(lease.until, now + after_s)
                self._leases[name] = lease._replace(until=until, is_leaving=True)

    @property
    def is_any(self) -> bool:
        """
        Whether there is a viewer.
        """
        return bool(self._now())

    @property
    def period_s(self) -> float:
        """
        Seconds between two snapshots, for the viewer with the shortest interval.
        """
        return min((lease.period_s for lease in self._now()), default=PERIOD_S)

    def _now(self) -> list[Lease]:
        now = time.monotonic()
        with self._lock:
            if self._is_busy():
                for name, lease in self._leases.items():
                    if not lease.is_leaving:
                        self._leases[name] = lease._replace(until=now + LEASE_S)
            self._leases = {
                name: lease for name, lease in self._leases.items() if lease.until > now
            }
            return list(self._leases.values())


class Listeners:
    """
    All listeners of one channel of messages: a viewer of the ticker.

    Args:
        send: Sends one message.
        leases: Their leases.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None], leases: Leases) -> None:
        self._send = send
        self.leases = leases

    @property
    def is_looking(self) -> bool:
        """
        Whether a listener has a lease.
        """
        return self.leases.is_any

    @property
    def period_s(self) -> float:
        """
        Seconds between two snapshots.
        """
        return self.leases.period_s

    def show(self, snapshot: Snapshot, whole: Snapshot) -> None:
        """
        Send a snapshot.

        Args:
            snapshot: A tick, or a whole snapshot.
            whole: Not needed here.
        """
        self._send({"kind": "snapshot", "snapshot": as_plain(snapshot)})
