"""
Viewers that send snapshots on: to a widget, or to all that listen to a comm.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from ..session.snapshot import Snapshot, as_plain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PERIOD_S", "SLOWEST_S", "Leases", "Listeners"]

#: Seconds from one snapshot to the next, for those who do not want it slower.
PERIOD_S = 0.25
#: The longest interval that a viewer may ask for, in seconds.
SLOWEST_S = 10.0

#: A front end that looks says so again and again; one that was closed does not. In
#: seconds.
LEASE_S = 60.0


class Lease(NamedTuple):
    """
    One who looks.
    """

    until: float
    #: Seconds from one snapshot to the next.
    period_s: float
    #: It has gone, and perhaps comes back under another name.
    is_leaving: bool = False


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
        self._leases: dict[str, Lease] = {}

    def renew(self, name: str, period_s: float = PERIOD_S) -> None:
        """
        Note that somebody looks.

        Args:
            name: Who.
            period_s: Seconds from one snapshot to the next, as they want it.
        """
        period_s = min(max(period_s, PERIOD_S), SLOWEST_S)
        lease = Lease(time.monotonic() + LEASE_S, period_s)
        with self._lock:
            self._leases[name] = lease

    def end(self, name: str, *, after_s: float = 0.0) -> None:
        """
        Note that somebody looks no longer.

        Args:
            name: Who.
            after_s: So long they may come back: a page that is loaded anew is there
                before its kernel can hear it.
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
        Somebody looks.
        """
        return bool(self._now())

    @property
    def period_s(self) -> float:
        """
        Seconds from one snapshot to the next, for the one who wants them soonest.
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

    @property
    def period_s(self) -> float:
        """
        Seconds from one snapshot to the next.
        """
        return self.leases.period_s

    def show(self, snapshot: Snapshot, whole: Snapshot) -> None:
        """
        Send a snapshot.

        Args:
            snapshot: A tick, or a whole one.
            whole: Not needed here.
        """
        self._send({"kind": "snapshot", "snapshot": as_plain(snapshot)})
