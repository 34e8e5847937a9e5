"""
Watching a kernel: one request, and then its broadcasts.
"""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..session.snapshot import merge
from .kernels import SHORT_PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..session.snapshot import Snapshot
    from .kernels import KernelLink

__all__ = ["Watching", "watching"]

#: Seconds between two snapshots, as requested. Other viewers may request them more
#: often, and all viewers get the same broadcasts.
PERIOD_S = 1.0
#: Fewest seconds between two snapshots that are returned.
LEAST_S = 0.5
#: After so many seconds without a broadcast the kernel counts as silent.
SILENT_S = 5.0
#: Seconds between two requests to go on; the kernel drops a viewer after a minute.
RENEW_S = 20.0
#: Seconds to wait for the answer when the viewer leaves.
GOODBYE_S = 0.5
GLANCE_S = 0.5


class Watching:
    """
    A viewer of a kernel.

    Args:
        link: A link to it that hears broadcasts.
    """

    def __init__(self, link: KernelLink) -> None:
        self._link = link
        self._viewer = f"terminal-{uuid.uuid4().hex}"
        #: The last whole snapshot; None if the next one must be whole.
        self._whole: Snapshot | None = None
        self._is_loaded = False
        self._renewed = 0.0
        self._heard = 0.0
        self._doubted = 0.0
        self._given = 0.0

    def begin(self) -> Snapshot:
        """
        Request broadcasts, and return the present snapshot.

        Raises:
            NotShared: The extension is not loaded, or there is no answer in time.
            KernelGone: The kernel has ended.
        """
        self._link.require_loaded()
        return self._watch()

    def _watch(self) -> Snapshot:
        self._is_loaded = True
        self._renewed = time.monotonic()
        wish = {"viewer": self._viewer, "every": PERIOD_S}
        self._whole = self._link.read(self._link.ask("duck_watch", wish))
        self._heard = time.monotonic()
        return self._whole

    def next(self) -> Snapshot:
        """
        Wait for the next snapshot, and return it whole.

        Raises:
            NotShared: The extension was unloaded, or the kernel is silent; it may
                continue later.
            KernelGone: The kernel has ended.
        """
        while True:
            found = self.poll()
            if found is not None:
                return found

    def poll(self, beside: int | None = None) -> Snapshot | None:
        """
        Wait a short time for the next snapshot, and return it whole.

        Args:
            beside: A descriptor. The wait also ends when it is readable.

        Returns:
            The snapshot; None if there is no new one.

        Raises:
            NotShared: As `next`.
            KernelGone: As `next`.
        """
        news = self._link.hear(GLANCE_S, beside)
        now = time.monotonic()
        if news is None:
            self._make_sure(now)
            return None
        kind = news.get("kind")
        if kind == "snapshot":
            self._take(self._link.read(news))
            self._renew(now)
            if self._whole is not None and now - self._given >= LEAST_S:
                self._given = now
                return self._whole
        elif kind == "unloaded":
            self._is_loaded = False
        elif kind == "loaded":
            return self._watch()
        return None

    def _take(self, news: Snapshot) -> None:
        self._heard = time.monotonic()
        before = self._whole
        if before is not None and before.kernel != news.kernel:
            before = self._whole = None
        if before is not None and news.seq <= before.seq:
            return  # it was sent before the answer to our request
        if news.whole:
            self._whole = news
        elif before is not None:
            self._whole = merge(before, news)

    def _renew(self, now: float) -> None:
        # While a cell runs, the kernel keeps its viewers without a request.
        is_busy = self._whole is not None and self._whole.cell.running
        if not is_busy and now - self._renewed > RENEW_S:
            self._renewed = now
            wish = {"viewer": self._viewer, "every": PERIOD_S, "quiet": True}
            self._link.tell("duck_watch", wish)

    def _make_sure(self, now: float) -> None:
        """
        Find out why there are no broadcasts.
        """
        if not self._is_loaded:
            raise self._link.absence()
        if now - self._heard < SILENT_S and self._link.file.path.exists():
            return  # a kernel that restarts is silent for a moment
        if now - self._doubted > RENEW_S:
            # It was restarted, or it dropped this viewer.
            self._doubted = now
            found = self._link.identity(SHORT_PATIENCE_S)
            if found is not None and not found.is_loaded:
                self._is_loaded = False
                raise self._link.absence()
            if found is not None:
                self._watch()
                return
        raise self._link.silence()

    def end(self) -> None:
        """
        Tell the kernel that the viewer leaves.
        """
        if self._is_loaded:
            goodbye = {"viewer": self._viewer}
            self._link.ask("duck_unwatch", goodbye, patience=GOODBYE_S)


@contextmanager
def watching(link: KernelLink) -> Iterator[Watching]:
    """
    Watch a kernel for a while.

    Args:
        link: A link to it that hears broadcasts.
    """
    found = Watching(link)
    try:
        yield found
    finally:
        found.end()
