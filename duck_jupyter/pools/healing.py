"""
Healing: a worker is taken out of a pool, or tasks out of its queue, and it goes on.

This rests on private names, which are the same in CPython 3.10 to 3.14 and in loky:
``_work_ids``, ``_pending_work_items``, ``_processes``, ``_shutdown_lock`` (in loky
``_flags.shutdown_lock``), ``_executor_manager_thread_wakeup``, ``_spawn_process`` (in
loky ``_ensure_executor_running``). Where one is missing the worker is killed, and an
executor is broken by that, as without us.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from .tasks import Task
from .tracebacks import dress

if TYPE_CHECKING:
    from .board import Board, Entry

__all__ = ["cancel_queued", "fill_up", "is_closing", "remove_worker", "state_of"]

#: Seconds a worker may take to stop.
STOP_S = 1.0
LOOK_S = 0.001


def cancel_queued(executor: Any, run: int) -> int:
    """
    Cancel the tasks of a run that are still in an executor's queue.

    A task's number is in the queue until its manager thread takes it. Who has taken the
    number owns the task. The futures alone must not be cancelled: up to Python 3.11 a
    broken executor fails over cancelled futures, and its other workers stay.

    Returns:
        How many were cancelled. A `multiprocessing.Pool` has no such queue.
    """
    numbers = getattr(executor, "_work_ids", None)
    items = getattr(executor, "_pending_work_items", None)
    if numbers is None or items is None:
        return 0
    found, others = 0, []
    while True:
        try:
            number = numbers.get_nowait()
        except queue.Empty:
            break
        item = items.get(number)
        if item is None or not _is_of(item, run):
            others.append(number)
            continue
        items.pop(number, None)
        item.future.cancel()
        # So that those who wait for it hear of it.
        item.future.set_running_or_notify_cancel()
        found += 1
    for number in others:
        numbers.put(number)
    if found or others:
        _wake(executor)
    return found


def is_closing(executor: Any) -> bool:
    """
    Tell whether a pool takes no more tasks, or is broken.
    """
    flags = getattr(executor, "_flags", None)
    if flags is not None:  # of loky
        return bool(flags.shutdown or flags.broken)
    return bool(executor._shutdown_thread or executor._broken)


def remove_worker(board: Board, entry: Entry, pool: Any, error: BaseException) -> bool:
    """
    Kill a worker that is at a task.

    An executor goes on without the worker, unless it is being closed: then it ends. A
    `multiprocessing.Pool` replaces the worker by itself.

    Args:
        board: Where the worker notes its task.
        entry: What it notes.
        pool: The pool that has the worker, or None.
        error: The error of the task, and of other tasks of its run that the pool has
            given to its workers.

    Returns:
        Whether it was killed; not so where the task has ended meanwhile.
    """
    if not _stop_at(board, entry):
        return False
    process = None
    if hasattr(pool, "_pending_work_items") and not is_closing(pool):
        with contextlib.suppress(AttributeError), _shutdown_lock(pool):
            process = pool._processes.pop(entry.pid, None)
            # The manager thread looks at this before it looks at dead workers, and
            # from then on at those that are left.
            pool._executor_manager_thread_wakeup.wakeup()
    try:
        os.kill(entry.pid, signal.SIGKILL)
    except ProcessLookupError:
        # An executor that is being closed ends its workers as soon as one is killed.
        if process is None:
            return False
    if process is None:
        return True
    process.join()
    board.forget(entry.pid)
    for number, item in list(pool._pending_work_items.items()):
        if (
            _is_of(item, entry.run)
            and item.future.running()
            and pool._pending_work_items.pop(number, None) is not None
        ):
            item.future.set_exception(dress(error))
    _wake(pool)
    return True


def _stop_at(board: Board, entry: Entry) -> bool:
    """
    Stop a worker while it is at its task, where it holds no lock of its pool's queues.
    """
    try:
        os.kill(entry.pid, signal.SIGSTOP)
    except ProcessLookupError:
        return False
    end, pause = time.monotonic() + STOP_S, threading.Event()
    while state_of(entry.pid) not in "TtZX" and time.monotonic() < end:
        pause.wait(LOOK_S)
    now = board.last(entry.pid)
    if now is None or now.task != entry.task or now.is_sending:
        with contextlib.suppress(ProcessLookupError):
            os.kill(entry.pid, signal.SIGCONT)
        return False
    return True


def state_of(pid: int) -> str:
    """
    Give a process's state (proc(5)): one letter, "X" where it is gone.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def fill_up(executor: Any) -> None:
    """
    Start workers in place of those that were removed.
    """
    with contextlib.suppress(AttributeError):
        if hasattr(executor, "_ensure_executor_running"):
            executor._ensure_executor_running()
            return
        while len(executor._processes) < executor._max_workers:
            executor._spawn_process()


def _is_of(item: Any, run: int) -> bool:
    return isinstance(item.fn, Task) and item.fn.notes.get("run") == run


def _wake(executor: Any) -> None:
    with contextlib.suppress(AttributeError), _shutdown_lock(executor):
        if executor._executor_manager_thread_wakeup is not None:
            executor._executor_manager_thread_wakeup.wakeup()


def _shutdown_lock(executor: Any) -> Any:
    flags = getattr(executor, "_flags", None)
    return executor._shutdown_lock if flags is None else flags.shutdown_lock
