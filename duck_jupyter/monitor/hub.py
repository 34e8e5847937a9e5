"""
Hub: the monitor of one session, for all of its viewers.

Nothing of it runs before the first viewer, and modules that viewers need are imported
then.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from ..session.snapshot import Cell
from .commands import Commands

if TYPE_CHECKING:
    from ..session.session import Session
    from .ticker import Ticker, Viewer

__all__ = ["Hub"]


class Widget(Protocol):
    """
    The monitor as a widget.
    """

    def look(self, kind: Any, view: Any) -> None:
        """
        Note whether a view of it is seen, in a word, and which view.
        """


class Hub:
    """
    The monitor of one session. Any thread may call it.

    Args:
        session: The session.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.commands: Commands = Commands(session)
        self._lock = threading.Lock()
        self._ticker: Ticker | None = None
        self._widgets: WeakValueDictionary[str, Widget] = WeakValueDictionary()
        self._cell = Cell(running=False, number=None)
        # A cell may run others, as %run does with a notebook.
        self._depth = 0

    @property
    def ticker(self) -> Ticker:
        """
        The ticker that sends snapshots; created at the first use.
        """
        with self._lock:
            if self._ticker is None:
                from .ticker import Ticker  # it imports psutil

                self._ticker = Ticker(self.session, self.commands)
                self._ticker.cell = self._cell
                # Registered now, so it runs before the kernel closes its sockets.
                atexit.register(self._stop_at_exit, os.getpid())
            return self._ticker

    @property
    def is_busy(self) -> bool:
        """
        Whether a cell runs.
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
        # The cell that loads the extension may have begun before the extension existed.
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
        Add a viewer.
        """
        self.ticker.add(viewer)

    def discard(self, viewer: Viewer) -> None:
        """
        Remove a viewer.
        """
        if self._ticker is not None:
            self._ticker.discard(viewer)

    def know(self, comm_id: str, widget: Widget) -> None:
        """
        Note the comm of a widget, as long as the widget exists.
        """
        self._widgets[comm_id] = widget

    def forget(self, comm_id: str) -> None:
        """
        Note that a widget was closed.
        """
        self._widgets.pop(comm_id, None)

    def look(self, content: Any) -> dict[str, Any]:
        """
        Note that a view of a widget is visible or not.

        JupyterLab's extension sends this on the control channel, which does not change
        the status of the kernel.

        Args:
            content: ``{"comm_id": ..., "view": ..., "look": "visible"}``; other values
                of ``"look"`` are ``"ready"`` and ``"hidden"``.
        """
        widget = self._widgets.get(content.get("comm_id"))
        if widget is not None:
            widget.look(content.get("look"), content.get("view"))
        return {}

    def do(self, command: Any) -> dict[str, Any]:
        """
        Execute a command of a front end, and show its effect to all viewers.
        """
        answer = self.commands.do(command)
        if self._ticker is not None:
            self._ticker.send_soon()
        return answer

    def start(self) -> None:
        """
        Start to serve viewers; also after `stop`.
        """
        self._depth = 0
        self._set(Cell(running=False, number=None))
        if self._ticker is not None:
            self._ticker.start()

    def stop(self) -> None:
        """
        Show viewers the final state, and stop sending.
        """
        if self._ticker is not None:
            self._ticker.stop()

    def _stop_at_exit(self, pid: int) -> None:
        # A forked child leaves the viewers to its parent.
        if os.getpid() == pid:
            self.stop()
