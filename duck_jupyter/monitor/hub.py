"""
Hub: the monitor of one session, for all of its viewers.

Nothing of it runs before somebody looks, and what only then is needed is loaded then.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ..session.snapshot import Cell
from .commands import Commands

if TYPE_CHECKING:
    from ..session.session import Session
    from .ticker import Ticker, Viewer
    from .widget import Monitor

__all__ = ["Hub"]


class Hub:
    """
    The monitor of one session. Any thread may call it.

    Args:
        session: The session.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.commands = Commands(session)
        self._lock = threading.Lock()
        self._ticker: Ticker | None = None
        self._widgets: WeakValueDictionary[str, Monitor] = WeakValueDictionary()
        self._cell = Cell(running=False, number=None)
        # A cell may run others, as %run does with a notebook.
        self._depth = 0

    @property
    def ticker(self) -> Ticker:
        """
        What sends snapshots, made when it is first asked for.
        """
        with self._lock:
            if self._ticker is None:
                from .ticker import Ticker  # which loads psutil

                self._ticker = Ticker(self.session, self.commands)
                self._ticker.cell = self._cell
                # Before the kernel, which came first, closes what it sends through.
                atexit.register(self._stop_at_exit, os.getpid())
            return self._ticker

    @property
    def is_busy(self) -> bool:
        """
        A cell runs.
        """
        return self._cell.running

    def cell_begins(self, number: int | None) -> None:
        """
        Note that a cell begins to run.
        """
        self._depth += 1
        if self._depth == 1:
            self._set(Cell(running=True, number=number))

    def cell_ends(self) -> None:
        """
        Note that the cell has ended.
        """
        # The cell that loads the extension may have begun before that.
        self._depth = max(0, self._depth - 1)
        if not self._depth:
            self._set(Cell(running=False, number=self._cell.number))

    def _set(self, cell: Cell) -> None:
        with self._lock:
            self._cell = cell
            if self._ticker is not None:
                self._ticker.cell = cell

    def add(self, viewer: Viewer) -> None:
        """
        Let somebody look.
        """
        self.ticker.add(viewer)

    def discard(self, viewer: Viewer) -> None:
        """
        Let somebody look no longer.
        """
        if self._ticker is not None:
            self._ticker.discard(viewer)

    def know(self, comm_id: str, widget: Monitor) -> None:
        """
        Note the comm of a widget, as long as there is the widget.
        """
        self._widgets[comm_id] = widget

    def forget(self, comm_id: str) -> None:
        """
        Note that a widget was closed.
        """
        self._widgets.pop(comm_id, None)

    def look(self, content: Any) -> dict[str, Any]:
        """
        Do what a view of a widget says, that it is seen or is not.

        JupyterLab's extension says so on the control channel, which leaves the status
        of the kernel alone.

        Args:
            content: ``{"comm_id": ..., "view": ..., "look": "visible"}``; the others
                are ``"ready"`` and ``"hidden"``.
        """
        widget = self._widgets.get(content.get("comm_id"))
        if widget is not None:
            widget.look(content.get("look"), content.get("view"))
        return {}

    def do(self, command: Any) -> dict[str, Any]:
        """
        Do what a front end asks for, and show all viewers that it is done.
        """
        answer = self.commands.do(command)
        if self._ticker is not None:
            self._ticker.send_soon()
        return answer

    def start(self) -> None:
        """
        Serve those who look, from now on; after `stop` as well.
        """
        self._depth = 0
        self._set(Cell(running=False, number=None))
        if self._ticker is not None:
            self._ticker.start()

    def stop(self) -> None:
        """
        Show those who look how it ended, and send nothing any more.
        """
        if self._ticker is not None:
            self._ticker.stop()

    def _stop_at_exit(self, pid: int) -> None:
        # A child that was forked leaves those who look to its parent.
        if os.getpid() == pid:
            self.stop()
