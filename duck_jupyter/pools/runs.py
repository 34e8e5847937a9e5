"""
Runs: identify the cell that submitted a task.

A run is one execution of a cell. A context variable has the run: code that the cell
calls finds it there, and so do tasks that the cell starts in an event loop. A thread
that a cell has started has a run of its own, which no Interrupt ends.
"""

from __future__ import annotations

import contextvars
import itertools
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .notebook import notebook

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MOST", "Run", "Runs", "runs"]

#: The number of runs that are kept; earlier ones have long ended.
MOST = 1000


class Run:
    """
    One execution of a cell, or the tasks of a thread.

    Args:
        header: The parent header of messages of the kernel.

    Attributes:
        number: The number of the run. It changes when the run is interrupted, because
            a cell that catches KeyboardInterrupt may submit again.
        submitted: The number of tasks that were submitted under this number.
        pools: The pools that got them, by identity.
    """

    def __init__(self, header: Any = None) -> None:
        self.header = header
        self.number: int = 0
        self.submitted: int = 0
        self.pools: dict[int, weakref.ref[Any]] = {}
        self.renew()

    def renew(self) -> tuple[int, dict[int, weakref.ref[Any]]]:
        """
        Take a new number; return the old one, and the pools that got its tasks.
        """
        before = self.number, self.pools
        self.submitted, self.pools = 0, {}
        self.number = next(_numbers)
        return before

    def submits(self, pool: Any) -> None:
        """
        Note that a pool gets a task.
        """
        self.submitted += 1
        if id(pool) not in self.pools:
            self.pools[id(pool)] = weakref.ref(pool)
            runs.note(self)


_numbers = itertools.count(1)


class Runs:
    """
    The runs of this process.
    """

    def __init__(self) -> None:
        self._current: contextvars.ContextVar[Run | None] = contextvars.ContextVar(
            "duck-run", default=None
        )
        self._of_threads = threading.local()
        # By number, in their order.
        self._known: dict[int, Run] = {}
        # The last run that submitted to a pool, for tasks of the pool's own thread.
        self._last: weakref.WeakKeyDictionary[Any, Run] = weakref.WeakKeyDictionary()

    def begin(self) -> Run:
        """
        Begin a cell's run, in the context that runs the cell.
        """
        run = Run(notebook.header())
        self._current.set(run)
        return run

    def end(self) -> None:
        """
        Note that the cell has ended.
        """
        self._current.set(None)

    def of(self, pool: Any) -> Run:
        """
        Find the run for which this thread submits to a pool.
        """
        run = self._current.get()
        if run is not None:
            if id(pool) not in run.pools:
                self._last[pool] = run
            return run
        if _is_of_pool(threading.current_thread(), pool):
            # joblib submits in a callback of the tasks before.
            run = self._last.get(pool)
        if run is None:
            run = getattr(self._of_threads, "run", None)
        if run is None:
            run = self._of_threads.run = Run(notebook.header())
        return run

    def note(self, run: Run) -> None:
        """
        Keep a run by its number.
        """
        self._known[run.number] = run
        if len(self._known) > MOST:
            self._known.pop(next(iter(self._known)), None)

    def find(self, number: int) -> Run | None:
        """
        Return the run that had a number.
        """
        return self._known.get(number)


def _is_of_pool(thread: threading.Thread, pool: Any) -> bool:
    known: Iterator[Any] = (
        getattr(pool, name, None)
        for name in ("_executor_manager_thread", "_result_handler", "_task_handler")
    )
    return any(thread is one for one in known)


#: Those of this process.
runs: Runs = Runs()
