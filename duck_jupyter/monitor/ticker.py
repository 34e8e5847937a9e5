"""
Ticker: sends snapshots of a session to its viewers, four times a second.

One thread, which runs only while somebody looks, so that nobody pays for a monitor
that is not seen. What goes out is small: a whole snapshot at first and now and then,
and between them what has changed.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from ..session.doctor import examine, findings_of
from ..session.observe import snapshot_of
from ..session.snapshot import Cell, Snapshot, tick_between
from .footprints import Footprints

if TYPE_CHECKING:
    from ..session.session import Session
    from ..stats.rows import Finding
    from .commands import Commands

__all__ = ["Ticker", "Viewer"]

#: A look takes at most one part in so many of the time: with thousands of objects, or
#: on a busy machine, there are fewer of them.
LEAST_REST = 40
#: Seconds from one whole snapshot to the next: at least, for each object, and at most.
#: A page that is loaded anew while a cell runs waits so long.
WHOLE_EVERY_S = (2.0, 0.05, 10.0)
#: Processor time in seconds for the memory of workers, where a next look follows: one
#: of them takes about that.
MEMORY_S = 0.001
#: Seconds from one look at what the dead left to the next.
FINDINGS_EVERY_S = 30.0


class Viewer(Protocol):
    """
    Somebody who looks.
    """

    @property
    def is_looking(self) -> bool:
        """
        It is visible, as far as is known.
        """
        ...

    @property
    def period_s(self) -> float:
        """
        Seconds from one snapshot to the next, as it wants them.
        """
        ...

    def show(self, snapshot: Snapshot, whole: Snapshot) -> None:
        """
        Take a snapshot, in the ticker's thread.

        Args:
            snapshot: A tick, or a whole one.
            whole: The whole one of that moment.
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
        #: Held while a snapshot is taken: one with a higher number is a later one.
        self._looking = threading.Lock()
        self._seq = 0
        self._footprints = Footprints()
        self._findings: list[Finding] = []
        self._findings_until = 0.0
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

    def look(self, memory_s: float = MEMORY_S) -> Snapshot:
        """
        Take a whole snapshot now.

        Args:
            memory_s: Processor time in seconds to look at the memory of workers;
                that of others is what it was, or is not known yet.
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
            )

    def send_soon(self) -> None:
        """
        Let viewers have a whole snapshot at once: something was done for them.
        """
        with self._lock:
            self._whole_wanted = True
            self._wake.set()

    def start(self) -> None:
        """
        Let people look, after `stop`.
        """
        with self._lock:
            self._stopped = False

    def stop(self) -> None:
        """
        Send one last whole snapshot, and nothing any more.
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
                # Where something went wrong the next one to look gets another thread.
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
                # Who comes from here on is not among them, and asks for another one.
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
            # Its way to the front end is closed; the others go on.
            self.discard(viewer)

    def _what_the_doctor_finds(self) -> list[Finding]:
        now = time.monotonic()
        if now > self._findings_until:
            self._findings_until = now + FINDINGS_EVERY_S
            self._findings = findings_of(examine(self._session))
        return self._findings

    def _workers(self) -> set[int]:
        server = self._session.server
        if server is None:
            return set()
        return {found.hello.pid for found in server.connections()}
