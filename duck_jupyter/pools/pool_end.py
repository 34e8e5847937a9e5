"""
The end of a `multiprocessing.Pool`, also where killed workers held locks of its queues.

Python takes the lock with which workers read tasks, ends the workers at any point, and
then needs the lock with which they send results. So it waits for ever if a worker was
killed, or is ended, while it has one of them. Here the workers end first.
"""

from __future__ import annotations

import contextlib
import os
import threading
from multiprocessing import pool as mp_pool
from typing import Any

from .cut_results import give_up
from .standstill import living, waits_for_message

__all__ = ["release", "terminate_pool"]

LOOK_S = 0.005
#: Seconds for which the kernel's own threads may have a lock.
HOLD_S = 0.05

#: That of Python.
_terminate_pool = mp_pool.Pool._terminate_pool  # type: ignore[attr-defined]


def terminate_pool(
    cls: Any,
    taskqueue: Any,
    inqueue: Any,
    outqueue: Any,
    pool: Any,
    change_notifier: Any,
    worker_handler: Any,
    task_handler: Any,
    result_handler: Any,
    cache: Any,
) -> None:
    """
    End a pool, as ``Pool._terminate_pool`` does.

    Args:
        cls: The pool's class.
        taskqueue: Tasks that are not sent yet.
        inqueue: The queue from which workers read tasks.
        outqueue: The queue to which they send results.
        pool: The workers.
        change_notifier: Wakes the thread that starts workers.
        worker_handler: This thread.
        task_handler: The thread that sends tasks.
        result_handler: The thread that reads results.
        cache: The results that are awaited.
    """
    if not issubclass(cls, mp_pool.ThreadPool):
        worker_handler._state = task_handler._state = mp_pool.TERMINATE
        change_notifier.put(None)
        _join(worker_handler)
        _end_workers(pool)
        if inqueue._rlock._semlock._is_zero():
            release(inqueue._rlock)
        _release_results(outqueue, result_handler)
        # It may be in the midst of a task that no worker reads any more.
        _join(task_handler, inqueue._reader)
    _terminate_pool.__func__(
        cls,
        taskqueue,
        inqueue,
        outqueue,
        pool,
        change_notifier,
        worker_handler,
        task_handler,
        result_handler,
        cache,
    )


def release(lock: Any) -> None:
    """
    Release a lock that nobody holds who lives; again is fine.
    """
    # Another thread may have found that it is lost, too.
    with contextlib.suppress(ValueError):
        lock.release()


def _join(thread: Any, pipe: Any = None) -> None:
    """
    Wait until a thread has ended, and empty the pipe to which it writes meanwhile.
    """
    if thread is threading.current_thread():
        return
    while thread.is_alive():
        thread.join(LOOK_S if pipe else None)
        while pipe and pipe.poll(0):
            os.read(pipe.fileno(), 1 << 16)


def _end_workers(workers: list[Any]) -> None:
    for process in workers:
        if process.exitcode is None:
            process.terminate()
    pause = threading.Event()
    while living(process.pid for process in workers):
        pause.wait(LOOK_S)


def _release_results(outqueue: Any, result_handler: Any) -> None:
    """
    Release the lock with which results are sent, once all workers have ended.
    """
    if not outqueue._wlock.acquire(timeout=HOLD_S):
        # A worker had it. The pool may be in the midst of its result.
        pause = threading.Event()
        while (
            result_handler.is_alive()
            and result_handler is not threading.current_thread()
            and not waits_for_message(result_handler, outqueue._reader)
        ):
            give_up(outqueue._reader)
            pause.wait(LOOK_S)
    release(outqueue._wlock)
