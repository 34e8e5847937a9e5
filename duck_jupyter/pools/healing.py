"""
Healing: removes a worker from a pool, or tasks from its queue, so that it goes on.

This uses private names, which are the same in CPython 3.10 to 3.14 and in loky:
``_work_ids``, ``_pending_work_items``, ``_processes``, ``_shutdown_lock`` (in loky
``_flags.shutdown_lock``), ``_executor_manager_thread_wakeup``, ``_spawn_process`` (in
loky ``_ensure_executor_running``). If one is missing, the worker is killed, and this
breaks an executor as it does without the extension.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from .pool_state import end_of
from .standstill import progress_of
from .tasks import Task
from .tracebacks import dress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .board import Board, Entry

__all__ = ["cancel_queued", "count_not_done", "fill_up", "items_of", "remove_worker"]

#: The longest time for a worker to stop, in seconds.
STOP_S = 1.0
LOOK_S = 0.001


def cancel_queued(executor: Any, run: int) -> int:
    """
    Cancel the tasks of a run that are still in an executor's queue.

    A task's number is in the queue until its manager thread takes it. The thread that
    took the number owns the task. The futures alone must not be cancelled: up to Python
    3.11 a broken executor fails over cancelled futures, and its other workers stay.

    Returns:
        The number of cancelled tasks. A `multiprocessing.Pool` has no such queue.
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
        # Wakes the threads that wait for it.
        item.future.set_running_or_notify_cancel()
        found += 1
    for number in others:
        numbers.put(number)
    if found or others:
        _wake(executor)
    return found


def items_of(executor: Any) -> list[Any]:
    """
    List the tasks that an executor has not done, as its own objects.
    """
    return list((getattr(executor, "_pending_work_items", None) or {}).values())


def count_not_done(items: Iterable[Any], run: int) -> int:
    """
    Count the tasks of a run that have no result, of the items of executors.
    """
    return sum(
        _is_of(item, run)
        and not (
            item.future.done()
            and not item.future.cancelled()
            and item.future.exception() is None
        )
        for item in items
    )


def remove_worker(board: Board, entry: Entry, pool: Any, error: BaseException) -> bool:
    """
    Kill a worker that runs a task.

    An executor goes on without the worker, unless it is being closed: then it ends. A
    `multiprocessing.Pool` replaces the worker by itself.

    Args:
        board: Where the worker notes its task.
        entry: Its state there.
        pool: The pool that has the worker, or None.
        error: The error of the task, and of other tasks of its run that the pool has
            given to its workers.

    Returns:
        Whether it was killed; False if the task has ended meanwhile.
    """
    if not _stop_at(board, entry):
        return False
    process = None
    if hasattr(pool, "_pending_work_items") and end_of(pool) is None:
        with contextlib.suppress(AttributeError), _shutdown_lock(pool):
            process = pool._processes.pop(entry.pid, None)
            # The manager thread reads this before it looks for dead workers, and
            # from then on at those that are left.
            pool._executor_manager_thread_wakeup.wakeup()
    is_killed = _send(entry.pid, signal.SIGKILL)
    if process is None:
        return is_killed
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
    Stop a worker while it runs its task and holds no lock of its pool's queues.
    """
    if not _send(entry.pid, signal.SIGSTOP):
        return False
    end, pause = time.monotonic() + STOP_S, threading.Event()
    while progress_of(entry.pid).state not in "TtZX" and time.monotonic() < end:
        pause.wait(LOOK_S)
    now = board.last(entry.pid)
    if now is None or now.task != entry.task or now.is_sending:
        _send(entry.pid, signal.SIGCONT)
        return False
    return True


def _send(pid: int, number: signal.Signals) -> bool:
    """
    Send a signal to a process; give whether there is one.
    """
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def fill_up(executor: Any) -> None:
    """
    Start replacements of removed workers.
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
