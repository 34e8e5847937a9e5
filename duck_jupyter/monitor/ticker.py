"""
Ticker: sends snapshots of a session to its viewers, four times a second.

It has one thread, which runs only while a viewer is visible, so a hidden monitor costs
nothing. The messages are small: a whole snapshot at first and from time to time, and
the changes in between.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from ..pools.seen import worker_pids
from ..session.doctor import examine, findings_of
from ..session.observe import snapshot_of
from ..session.snapshot import Cell, Snapshot, tick_between
from .footprints import Footprints

if TYPE_CHECKING:
    from ..session.session import Session
    from ..stats.rows import Finding
    from .commands import Commands

__all__ = ["Ticker", "Viewer"]

#: Snapshots take at most one part in this many of the time: with thousands of objects,
#: or on a busy machine, there are fewer of them.
LEAST_REST = 40
#: Seconds between two whole snapshots: at least, for each object, and at most. A page
#: that is reloaded while a cell runs waits this long.
WHOLE_EVERY_S = (2.0, 0.05, 10.0)
#: The limit of processor time in seconds for measuring the memory of workers, if
#: another measurement follows; one worker takes about this long.
MEMORY_S = 0.001
#: Seconds between two searches for left-overs.
FINDINGS_EVERY_S = 30.0


class Viewer(Protocol):
    """
    A receiver of snapshots.
    """

    @property
    def is_looking(self) -> bool:
        """
        Whether it is visible, as far as is known.
        """
        ...

    @property
    def period_s(self) -> float:
        """
        Seconds between two snapshots, as it requests them.
        """
        ...

    def show(self, snapshot: Snapshot, whole: Snapshot) -> None:
        """
        Take a snapshot, in the ticker's thread.

        Args:
            snapshot: A tick, or a whole snapshot.
            whole: The whole snapshot of that moment.
        """


class Ticker:
    """
    Sends snapshots of a session to its viewers. Any thread may call it.

    Args:
        session: The session.
        commands: The commands of viewers.
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
        #: Held while a snapshot is taken, so that a higher number means a later
        #: snapshot.
        self._looking = threading.Lock()
        self._seq = 0
        self._footprints = Footprints()
        self._findings: list[Finding] = []
        self._findings_until = 0.0
        self.cell: Cell = Cell(running=False, number=None)

    def add(self, viewer: Viewer) -> None:
        """
        Add a viewer; it gets a whole snapshot first.
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
        Remove a viewer. Repeated calls do nothing.
        """
        with self._lock:
            if viewer in self._viewers:
                self._viewers.remove(viewer)
            self._wake.set()

    def look(self, memory_s: float = MEMORY_S, within_s: float = 0.0) -> Snapshot:
        """
        Take a whole snapshot now.

        Args:
            memory_s: The limit of processor time in seconds for measuring the memory of
                workers; other workers keep their last value, or have none yet.
            within_s: For how many seconds at most to wait for news of each cluster.
        """
        with self._looking:
            self._seq += 1
            return snapshot_of(
                self._session,
                seq=self._seq,
                cell=self.cell,
                pss=self._footprints.of(self._workers(), memory_s),
                findings=self._what_the_doctor_finds(),
                done=self._commands.done(),
                within_s=within_s,
            )

    def send_soon(self) -> None:
        """
        Send viewers a whole snapshot at once, because a command was executed.
        """
        with self._lock:
            self._whole_wanted = True
            self._wake.set()

    def start(self) -> None:
        """
        Start again after `stop`.
        """
        with self._lock:
            self._stopped = False

    def stop(self) -> None:
        """
        Send one last whole snapshot, and stop.
        """
        with self._lock:
            self._stopped = True
            viewers = self._looking_now()
            self._viewers.clear()
            thread = self._thread
            self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=10.0)
        if viewers:
            last = self.look()
            for viewer in viewers:
                self._show(viewer, last, last)

    def _run(self) -> None:
        try:
            self._send_again_and_again()
        finally:
            with self._lock:
                # After an error the next viewer gets a new thread.
                if self._thread is threading.current_thread():
                    self._thread = None

    def _send_again_and_again(self) -> None:
        before: Snapshot | None = None
        whole_until = 0.0
        while True:
            with self._lock:
                viewers = self._looking_now()
                if not viewers:
                    self._viewers.clear()
                    self._thread = None
                    return
                # A viewer that is added from here on requests another whole snapshot.
                wanted, self._whole_wanted = self._whole_wanted, False
                self._wake.clear()
            begun, used = time.monotonic(), time.thread_time()
            now = self.look()
            if before is None or wanted or begun > whole_until:
                least, each, most = WHOLE_EVERY_S
                whole_until = begun + min(max(least, each * len(now.objects)), most)
                sent = now
            else:
                sent = tick_between(before, now)
            before = now
            for viewer in viewers:
                self._show(viewer, sent, now)
            period = min(viewer.period_s for viewer in viewers)
            rest = period - (time.monotonic() - begun)
            self._wake.wait(max(rest, LEAST_REST * (time.thread_time() - used)))

    def _looking_now(self) -> list[Viewer]:
        return [found for found in self._viewers if found.is_looking]

    def _show(self, viewer: Viewer, snapshot: Snapshot, whole: Snapshot) -> None:
        try:
            viewer.show(snapshot, whole)
        except Exception:
            # Its connection to the front end is closed; the other viewers continue.
            self.discard(viewer)

    def _what_the_doctor_finds(self) -> list[Finding]:
        now = time.monotonic()
        if now > self._findings_until:
            self._findings_until = now + FINDINGS_EVERY_S
            self._findings = findings_of(examine(self._session))
        return self._findings

    def _workers(self) -> set[int]:
        server = self._session.server
        connections = [] if server is None else server.connections()
        return worker_pids().union(each.hello.pid for each in connections)
