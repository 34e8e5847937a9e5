"""
Slots: each worker notes its task on the board, and handles an Interrupt of its cell.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Any

from ..errors import TaskInterrupted
from ..memory.process_state import has_ended
from . import worker
from .board import Board, open_board
from .chunks import count_items, walk, walk_chunk
from .features import Feature
from .locking import Postponed
from .meter import WORTH_WRITING_S
from .runs import runs
from .worker_loop import find_in_loop

if TYPE_CHECKING:
    from types import FrameType

    from .board import Key
    from .features import Call
    from .meter import Meter
    from .tasks import Task

__all__ = ["Slot", "Slots", "enter"]

#: The name of the queue of results, by the name of the worker's loop.
QUEUES = {"worker": "outqueue", "_process_worker": "result_queue"}


class Slots(Feature):
    """
    In the notebook: makes the board, and gives each task the number of its run.
    """

    def open(self) -> None:
        """
        Make the board, or go on with that of workers that are left from before.
        """
        self.board: Board = open_board()

    def close(self) -> None:
        """
        Close the board, or leave it open for the living workers.
        """
        self.board.close()

    def worker_start(self, pool: Any) -> Call:
        """
        Let each worker take a slot.
        """
        return enter, (self.board.key,)

    def before_submit(self, task: Task) -> None:
        """
        Note the cell for which a task is submitted.
        """
        run = runs.of(task.pool)
        task.notes["run"] = run.number
        run.submits(task.pool)

    def kernel_ends(self) -> None:
        """
        Kill the workers, or the kernel would wait for their tasks at its end.
        """
        for pid in self.board.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def enter(key: Key) -> None:
    """
    Enter this process on the board, if the system allows it.

    A worker whose notebook has ended meanwhile ends: nobody would end it later.
    """
    try:
        board = Board(key)
        board.follow_owner()
        if board.claim():
            # A forked worker inherits a descriptor that wakes the notebook's loop.
            signal.set_wakeup_fd(-1)
            slot = Slot(board)
            signal.signal(signal.SIGINT, slot.on_sigint)
            worker.add(slot)
    except OSError:
        if has_ended(key.pid):
            os._exit(1)
    # See `starting`: it was blocked until there is a handler.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


class Slot(worker.WorkerFeature):
    """
    In a worker: its place on the board.

    Jupyter sends SIGINT to the whole group of processes, so idle workers and those that
    work for other cells get it too. Only a task whose own run was interrupted must end;
    it gets one KeyboardInterrupt.

    Args:
        board: The board on which this process has a slot.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        #: What counts this worker's tasks, if they are counted.
        self.meter: Meter | None = None
        #: The same, while a task is counted; and whether it is one item.
        self._counted: Meter | None = None
        self._is_whole = True
        #: The run of the present task, or None.
        self._run: int | None = None
        self._stopped = False
        self._postponed = Postponed(self.on_sigint)
        self._is_leaving = False
        #: Whether the end of sending is noted; None before the first task.
        self._sees_results: bool | None = None

    def item(self) -> int:
        """
        Return the item of a chunk at which the last task was; -1 if it is not known.
        """
        return self.board.item()

    def on_sigint(self, signum: int, frame: FrameType | None) -> None:
        """
        Handle SIGINT.
        """
        run = self._run
        if run is None or self._stopped or not self.board.is_interrupted(run):
            return
        if self._postponed.is_nested(frame):
            return
        if self._postponed.postpones(frame):
            # The notebook sends it again until it is noted as heard.
            return
        self._stopped = True
        self.board.heard()
        raise KeyboardInterrupt

    def start_begins(self) -> None:
        """
        Note that the initializer runs.
        """
        self.board.start()

    def start_ends(self) -> None:
        """
        Note that the worker is idle.
        """
        self.board.end()

    def task_begins(self, task: worker.Running) -> None:
        """
        Note the task, unless its run was interrupted while it waited.
        """
        run = task.notes.get("run", 0)
        if self._sees_results is None:
            self._sees_results = _see_results(self.board)
        if self.board.is_interrupted(run):
            raise TaskInterrupted("the task was not begun: its cell was interrupted")
        self._begin(task, run)
        self._stopped = False
        self._run = run

    def _begin(self, task: worker.Running, run: int) -> None:
        work = task.notes.get("work")
        meter = self._counted = None if work is None else self.meter
        function, items = count_items(task.function, task.args, self.board, meter)
        chunk = -1
        if items:
            task.function = function
            if getattr(function, "func", None) is walk:
                chunk = _find_chunk()
        now = self.board.begin(task.id, run, chunk)
        if meter is not None and work is not None:
            meter.begin(work, items or 1, now)
            self._is_whole = not items
            if not items and (not meter.took or meter.took > WORTH_WRITING_S):
                meter.show(task.args, task.kwargs)

    def task_refused(self, task: worker.Running, error: BaseException) -> None:
        """
        Note a task that fails before it begins, as it cannot be rebuilt.
        """
        if self.meter is not None and "work" in task.notes:
            self.meter.begin(task.notes["work"], 1, time.monotonic())
            self.meter.fail(error, (), {})
            self.meter.end()

    def task_failed(self, task: worker.Running, error: BaseException) -> BaseException:
        """
        Replace a KeyboardInterrupt, which would end the worker.
        """
        self._run = None
        self._postponed.cancel()
        if self._counted is not None:
            self._count_failed(task, self._counted, error)
        # Then a `multiprocessing.Pool` ends the worker, and the notebook asks why.
        self._is_leaving = "is_lost_by_exit" in task.notes and not isinstance(
            error, (Exception, KeyboardInterrupt)
        )
        if self._stopped and isinstance(error, KeyboardInterrupt):
            return TaskInterrupted("the task was stopped: its cell was interrupted")
        return error

    def _count_failed(
        self, task: worker.Running, meter: Meter, error: BaseException
    ) -> None:
        self._counted = None
        if self._stopped and isinstance(error, KeyboardInterrupt):
            meter.cut()
        else:
            meter.fail(error, *self._item_of(task, meter))
        meter.end()

    def _item_of(self, task: worker.Running, meter: Meter) -> tuple[Any, Any]:
        """
        Give the arguments of the item at which a task has failed.
        """
        if self._is_whole:
            return task.args, task.kwargs
        function = task.function
        called = getattr(function, "func", None)
        with contextlib.suppress(Exception):  # the items may be of any class
            if called is walk or called is walk_chunk:
                is_star = called is walk_chunk or function.args[1]
                items = task.args[0][1] if called is walk else task.args[0]
                item = items[self.board.item()]
                return (item if is_star else (item,)), {}
            return meter.call[1], meter.call[2]
        return (), {}

    def task_cut(self, task: worker.Running, error: BaseException) -> BaseException:
        """
        Do the same if the signal came when the task ended by itself.
        """
        failed = self.task_failed(task, error)
        self.task_ends(task)
        return failed

    def task_ends(self, task: worker.Running) -> None:
        """
        Note that the worker sends the result, or is idle.
        """
        self._run = None
        meter = self._counted
        if meter is not None:
            self._counted = None
            if self._is_whole:
                meter.item(time.monotonic(), task.args, task.kwargs)
            meter.end()
        if self._is_leaving:
            return
        if self._sees_results:
            self.board.send()
        else:
            self.board.end()


class _Results:
    """
    The writing end of a pool's queue of results. It notes that a result was sent.
    """

    def __init__(self, writer: Any, board: Board) -> None:
        self._writer = writer
        self._board = board

    def send_bytes(self, data: Any) -> None:
        self._writer.send_bytes(data)
        self._board.end()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


def _see_results(board: Board) -> bool:
    """
    Let a worker note when it has sent a result; return whether this is possible.
    """
    queue = find_in_loop(QUEUES)
    if type(queue).__name__ != "SimpleQueue":
        return False
    queue._writer = _Results(queue._writer, board)
    return True


def _find_chunk() -> int:
    """
    Return the number of the present chunk of a worker of `multiprocessing.Pool`; or -1.
    """
    number = find_in_loop({"worker": "i"})
    return number if isinstance(number, int) else -1
