"""
Slots: each worker notes its task on the board, and handles an Interrupt of its cell.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from ..errors import TaskInterrupted
from . import worker
from .board import Board, open_board
from .features import Feature
from .runs import runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from .board import Key
    from .features import Call
    from .tasks import Task

__all__ = ["Slot", "Slots", "enter"]

#: If the first item of a chunk takes longer, each item is noted. In seconds.
SLOW_ITEM_S = 20e-6
#: Frames from `Slot.task_begins` to the worker's loop, at most.
MOST_FRAMES = 6
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
    """
    with contextlib.suppress(OSError):
        board = Board(key)
        board.follow_owner()
        if board.claim():
            # A forked worker inherits a descriptor that wakes the notebook's loop.
            signal.set_wakeup_fd(-1)
            slot = Slot(board)
            signal.signal(signal.SIGINT, slot.on_sigint)
            worker.add(slot)
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
        #: The run of the present task, or None.
        self._run: int | None = None
        self._stopped = False
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
        walked, is_star = _items_of(task.function)
        self.board.begin(task.id, run, _find_chunk() if walked is _walk else -1)
        if walked is not None:
            task.function = functools.partial(walked, self.board, is_star)
        self._stopped = False
        self._run = run

    def task_failed(self, task: worker.Running, error: BaseException) -> BaseException:
        """
        Replace a KeyboardInterrupt, which would end the worker.
        """
        self._run = None
        # Then a `multiprocessing.Pool` ends the worker, and the notebook asks why.
        self._is_leaving = "is_lost_by_exit" in task.notes and not isinstance(
            error, (Exception, KeyboardInterrupt)
        )
        if self._stopped and isinstance(error, KeyboardInterrupt):
            return TaskInterrupted("the task was stopped: its cell was interrupted")
        return error

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

    Only the worker's own loop has the queue, in a variable.
    """
    frame: FrameType | None = sys._getframe(1)
    for _ in range(MOST_FRAMES):
        if frame is None:
            break
        name = QUEUES.get(frame.f_code.co_name)
        queue = frame.f_locals.get(name) if name else None
        if queue is not None and type(queue).__name__ == "SimpleQueue":
            queue._writer = _Results(queue._writer, board)
            return True
        frame = frame.f_back
    return False


def _items_of(function: Any) -> tuple[Callable[..., list[Any]] | None, Any]:
    """
    Return the replacement of a function that runs a chunk of a map.
    """
    name = getattr(function, "__name__", "")
    if name == "mapstar" or name == "starmapstar":
        return _walk, name == "starmapstar"
    if type(function) is functools.partial:
        name = getattr(function.func, "__name__", "")
        if name == "_process_chunk" and len(function.args) == 1:
            return _walk_chunk, function.args[0]
    return None, False


def _find_chunk() -> int:
    """
    Return the number of the present chunk of a worker of `multiprocessing.Pool`.

    Only the worker's own loop has it, in a variable; -1 if it has not.
    """
    frame = sys._getframe(1)
    for _ in range(MOST_FRAMES):
        if frame.f_back is None:
            break
        frame = frame.f_back
        if frame.f_code.co_name == "worker":
            number = frame.f_locals.get("i")
            return number if isinstance(number, int) else -1
    return -1


def _walk_chunk(board: Board, function: Any, chunk: Any) -> list[Any]:
    """
    Work like ``_process_chunk`` of concurrent.futures, and note the items.
    """
    return _walk(board, True, (function, chunk))


def _walk(board: Board, is_star: bool, chunk: tuple[Any, Any]) -> list[Any]:
    """
    Work like ``mapstar``, and note each item if items are slow.
    """
    function, items = chunk
    rest: Any = iter(items)
    board.at_item(0)
    started = time.monotonic()
    each = itertools.starmap if is_star else map
    results: list[Any] = list(each(function, itertools.islice(rest, 1)))
    if time.monotonic() - started < SLOW_ITEM_S:
        board.at_item(-1)
        try:
            results.extend(each(function, rest))
        except BaseException:
            board.at_item(len(items) - rest.__length_hint__() - 1)
            raise
        return results
    for number, item in enumerate(rest, 1):
        board.at_item(number)
        results.append(function(*item) if is_star else function(item))
    return results
