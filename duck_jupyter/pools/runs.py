"""
Runs: which cell submitted a task.

A run is one execution of a cell. What the cell calls finds it in a context variable,
and so do the tasks of an event loop that the cell has started. A thread that a cell has
started does not: it has a run of its own, which no Interrupt ends.
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

#: Runs that are remembered; those before them have long ended.
MOST = 1000


class Run:
    """
    One execution of a cell, or all that a thread submits.

    Args:
        header: What the messages of the kernel name as their parent.

    Attributes:
        number: Changes when the run is interrupted: a cell that catches
            KeyboardInterrupt may submit again.
        submitted: How many tasks were submitted under this number.
        pools: The pools that got them, by identity.
    """

    def __init__(self, header: Any = None) -> None:
        self.header = header
        self.number = 0
        self.submitted = 0
        self.pools: dict[int, weakref.ref[Any]] = {}
        self.renew()

    def renew(self) -> tuple[int, dict[int, weakref.ref[Any]]]:
        """
        Take a new number; give the old one, and the pools that got its tasks.
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
        # Who submitted to a pool last, for what the pool's own thread submits.
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
        Remember a run by its number.
        """
        self._known[run.number] = run
        if len(self._known) > MOST:
            self._known.pop(next(iter(self._known)), None)

    def find(self, number: int) -> Run | None:
        """
        Find the run that had a number.
        """
        return self._known.get(number)


def _is_of_pool(thread: threading.Thread, pool: Any) -> bool:
    known: Iterator[Any] = (
        getattr(pool, name, None)
        for name in ("_executor_manager_thread", "_result_handler", "_task_handler")
    )
    return any(thread is one for one in known)


#: Those of this process.
runs = Runs()
