"""
Ticker: snapshots of a session for whoever looks, four times a second.

One thread, which runs only while somebody looks, so that nobody pays for a monitor
that is not seen. What goes out is small: a whole snapshot at first and now and then,
and between them what has changed.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import psutil

from ..session.observe import snapshot_of
from ..session.snapshot import Cell, Snapshot, tick_between

if TYPE_CHECKING:
    from ..session.session import Session
    from .commands import Commands

__all__ = ["Ticker", "Viewer"]

#: Seconds from one snapshot to the next.
PERIOD_S = 0.25
#: A look takes at most one part in so many of the time: with thousands of objects, or
#: on a busy machine, there are fewer of them.
LEAST_REST = 40
#: Seconds from one whole snapshot to the next; who joined between them waits no longer.
WHOLE_EVERY_S = 10.0
#: Seconds from one look at the memory of processes to the next; each reads a file of
#: the system that takes milliseconds for gigabytes.
MEMORY_EVERY_S = 2.0


class Viewer(Protocol):
    """
    Somebody who looks.
    """

    @property
    def is_looking(self) -> bool:
        """
        It is visible, as far as is known.
        """

    def show(self, snapshot: Snapshot) -> None:
        """
        Take a snapshot, in the ticker's thread.
        """


class Ticker:
    """
    Sends snapshots of a session to those who look. Any thread may call it.

    Args:
        session: The session.
        commands: What viewers ask to be done.
    """

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._lock = threading.Lock()
        self._viewers: list[Viewer] = []
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._whole_wanted = True
        self._stopped = False
        self._seq = 0
        self._pss: dict[int, int] = {}
        self._pss_at = 0.0
        self.cell = Cell(running=False, number=None)

    def add(self, viewer: Viewer) -> None:
        """
        Let somebody look; it gets a whole snapshot first.
        """
        with self._lock:
            if self._stopped:
                return
            if viewer not in self._viewers:
                self._viewers.append(viewer)
            self._whole_wanted = True
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="duck-monitor", daemon=True
                )
                self._thread.start()
        self._wake.set()

    def discard(self, viewer: Viewer) -> None:
        """
        Let somebody look no longer; again is fine.
        """
        with self._lock:
            if viewer in self._viewers:
                self._viewers.remove(viewer)
        self._wake.set()

    def look(self) -> Snapshot:
        """
        Take a whole snapshot now.
        """
        return self._look()

    def send_soon(self) -> None:
        """
        Let viewers have a whole snapshot at once: something was done for them.
        """
        self._whole_wanted = True
        self._wake.set()

    def stop(self) -> None:
        """
        Send nothing any more, and wait for the thread to end.
        """
        with self._lock:
            self._stopped = True
            self._viewers.clear()
            thread = self._thread
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=10.0)

    def _run(self) -> None:
        before: Snapshot | None = None
        whole_at = 0.0
        while True:
            with self._lock:
                viewers = [found for found in self._viewers if found.is_looking]
                if not viewers:
                    self._viewers.clear()
                    self._thread = None
                    return
            begun = time.monotonic()
            now = self._look()
            whole = (
                before is None or self._whole_wanted or begun - whole_at > WHOLE_EVERY_S
            )
            if whole or before is None:
                self._whole_wanted = False
                whole_at = begun
                sent = now
            else:
                sent = tick_between(before, now)
            before = now
            for viewer in viewers:
                viewer.show(sent)
            took = time.monotonic() - begun
            self._wake.wait(max(PERIOD_S - took, LEAST_REST * took))
            self._wake.clear()

    def _look(self) -> Snapshot:
        with self._lock:
            self._seq += 1
            seq = self._seq
        return snapshot_of(
            self._session,
            seq=seq,
            cell=self.cell,
            pss=self._memory_of_workers(),
            done=self._commands.done(),
        )

    def _memory_of_workers(self) -> dict[int, int]:
        now = time.monotonic()
        if now - self._pss_at < MEMORY_EVERY_S:
            return self._pss
        self._pss_at = now
        server = self._session.server
        pids = (
            set() if server is None else {found.hello.pid for found in server.callers()}
        )
        self._pss = {pid: size for pid in pids if (size := _pss_of(pid)) is not None}
        return self._pss


def _pss_of(pid: int) -> int | None:
    try:
        found = psutil.Process(pid).memory_full_info()
    except psutil.Error:
        return None
    # Elsewhere than on Linux the system does not share pages out.
    size: int | None = getattr(found, "pss", None)
    return size
