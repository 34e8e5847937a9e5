"""
Progress: a line under the cell for each pool that has been at work for two seconds.

A thread of the cell looks twice a second, from the cell's first task until the cell
ends. So an idle kernel has none, and a cell without pools starts none.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..stats.progress import ages_of, ended_line, running_line
from ..stats.progress_shown import as_html, as_text
from .features import Feature
from .notebook import notebook
from .runs import runs

if TYPE_CHECKING:
    from ..stats.progress import Line
    from ..stats.task_rows import RunRow
    from .seen import Seen
    from .seen_rows import Look
    from .tasks import Task

__all__ = ["Options", "Progress", "options"]

#: Seconds of work after which a line appears, and between two updates.
AFTER_S, EVERY_S = 2.0, 0.5
MOST_LINES = 3


class Options:
    """
    What people can set.

    Attributes:
        progress: Whether progress is shown; "summary" shows the end only.
    """

    progress: bool | Literal["summary"] = True


#: Those of this process.
options: Options = Options()


class Progress(Feature):
    """
    Shows how far the pools of a cell are.

    Args:
        seen: What knows their tasks.
    """

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._cells = 0
        self._watch: Watch | None = None

    def cell_begins(self) -> None:
        """
        Note that a cell runs; it may run others.
        """
        self._cells += 1

    def before_submit(self, task: Task) -> None:
        """
        Watch the pool's run.

        To start a thread takes time. So it is done before the pool has the task: its
        worker may die at once, and then `Deaths` must know the task.
        """
        work = task.notes.get("work")
        watch = self._watch
        if work is None or (watch is not None and work in watch.works):
            return
        if not self._cells or not options.progress or notebook.shown is None:
            return
        header = runs.of(task.pool).header
        if watch is None:
            watch = self._watch = Watch(self._seen, header)
        watch.works[work] = None
        watch.start()

    def cell_ends(self, error: BaseException | None = None) -> None:
        """
        Show the end of what was shown.
        """
        self._cells = max(self._cells - 1, 0)
        if self._cells:
            return
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.end(error)

    def close(self) -> None:
        """
        End the thread.
        """
        self._cells = 0
        self.cell_ends()


class Watch:
    """
    Watches the pools of one cell.

    Args:
        seen: What knows their tasks.
        header: What names the cell.
    """

    def __init__(self, seen: Seen, header: Any) -> None:
        #: The numbers of the runs that got tasks of the cell, in their order.
        self.works: dict[int, None] = {}
        self._seen = seen
        self._place = _place(header)
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=self._run, daemon=True, name="duck-progress"
        )
        # The pools that have a line, and what was shown last.
        self._shown: dict[int, None] = {}
        self._last: tuple[Any, ...] = ()

    def start(self) -> None:
        """
        Begin; again is fine.
        """
        with contextlib.suppress(RuntimeError):  # it has begun
            self._thread.start()

    def end(self, error: BaseException | None) -> None:
        """
        End the thread, and show the summary.
        """
        try:
            if self._thread.ident is not None:
                self._over.set()
                self._thread.join()
        finally:
            # What a front end or a stream raises is no reason to fail the cell.
            with contextlib.suppress(Exception):
                self._show(error, is_over=True)

    def _run(self) -> None:
        wait = AFTER_S
        while not self._over.wait(wait):
            wait = EVERY_S
            # The next one may succeed.
            with contextlib.suppress(Exception):
                self._show(None, is_over=False)

    def _show(self, error: BaseException | None, *, is_over: bool) -> None:
        look = self._seen.look({})
        lines, more = self._lines(look, error, is_over=is_over)
        is_quiet = (
            options.progress == "summary" or not self._place.is_live or _has_bar()
        )
        if not lines or (not is_over and is_quiet and not self._last):
            return
        if (lines, more) != self._last:
            self._last = (lines, more)
            self._place.show(lines, more)

    def _lines(
        self, look: Look, error: BaseException | None, *, is_over: bool
    ) -> tuple[list[Line], int]:
        now = time.time()
        by_pool: dict[int, list[RunRow]] = {}
        for row in look.runs:
            if row.id in self.works:
                by_pool.setdefault(row.pool, []).append(row)
        pools = {pool.id: pool for pool in look.pools}
        for pool, rows in by_pool.items():
            first = min(row.first for row in rows)
            is_at_work = any(row.in_hand or row.queued for row in rows)
            end = now if is_at_work else max(row.last for row in rows)
            if end - first >= AFTER_S and (is_at_work or is_over):
                self._shown.setdefault(pool)
        lines = []
        for pool in list(self._shown)[:MOST_LINES]:
            rows = by_pool.get(pool, [])
            if not rows:
                continue
            row = max(rows, key=lambda each: (each.queued + each.in_hand, each.done))
            more = len(rows) - 1
            pool_row = pools.get(pool)
            # A cell that submits slowly has times without a task, and goes on.
            has_ended = row.ended is not None or (pool_row and pool_row.how)
            if not is_over and not has_ended:
                ages = ages_of(row, look.workers, now)
                lines.append(running_line(row, now, ages, more))
            else:
                interrupted = isinstance(error, KeyboardInterrupt)
                lines.append(
                    ended_line(row, pool_row, interrupted=interrupted, more=more)
                )
        return lines, max(len(self._shown) - MOST_LINES, 0)


class Place(Protocol):
    """
    Where lines are shown.
    """

    #: Whether lines can be replaced; else there is only the end.
    is_live: bool

    def show(self, lines: list[Line], more: int) -> None:
        """
        Show lines in place of those before.
        """


class _Cell:
    """
    The output of a cell: one display that is updated.
    """

    is_live = True

    def __init__(self, header: Any) -> None:
        self._header = header
        self._id = f"duck-progress-{secrets.token_hex(8)}"
        self._is_new = True

    def show(self, lines: list[Line], more: int) -> None:
        if notebook.shown is None:
            return
        data = {"text/plain": as_text(lines, more), "text/html": as_html(lines, more)}
        kind = "display_data" if self._is_new else "update_display_data"
        self._is_new = False
        transient = {"display_id": self._id}
        content = {"data": data, "metadata": {}, "transient": transient}
        notebook.shown.show(self._header, kind, content)


class _Terminal:
    """
    A terminal: lines that are written anew.
    """

    is_live = True

    def __init__(self) -> None:
        self._height = 0

    def show(self, lines: list[Line], more: int) -> None:
        text = as_text(lines, more)
        up = f"\x1b[{self._height}F\x1b[J" if self._height else ""
        sys.stderr.write(f"{up}{text}\n")
        sys.stderr.flush()
        self._height = text.count("\n") + 1


class _Log:
    """
    A file: the end only.
    """

    is_live = False

    def show(self, lines: list[Line], more: int) -> None:
        sys.stderr.write(f"{as_text(lines, more)}\n")
        sys.stderr.flush()


def _place(header: Any) -> Place:
    if notebook.shown is not None and notebook.shown.has_kernel:
        return _Cell(header)
    return _Terminal() if sys.stderr.isatty() else _Log()


def _has_bar() -> bool:
    """
    Tell whether a bar of tqdm is open.
    """
    module = sys.modules.get("tqdm.std")
    return bool(getattr(getattr(module, "tqdm", None), "_instances", None))
