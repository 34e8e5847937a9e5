"""
Lost results: those of a `multiprocessing.Pool`, whose own wait has no end.

This rests on private names of ``multiprocessing.pool``, which are the same in CPython
3.10 to 3.14: ``_cache``, ``_set``, ``_number_left``, ``_index``, ``_set_length``.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fail", "free_queue", "result_of"]

#: Seconds in which an idle worker would have taken a task.
STALL_S = 1.0
LOOK_S = 0.05


def result_of(given: Any) -> Any:
    """
    Find the pool's own object in what a method of the pool gave; None if there is none.
    """
    frame = getattr(given, "gi_frame", None)
    if frame is not None:
        # An `imap` with chunks: a generator over the chunks.
        given = frame.f_locals.get(".0")
    return given if hasattr(given, "_cache") and hasattr(given, "_job") else None


def fail(result: Any, error: BaseException) -> None:
    """
    Let those who wait for a result have an error, at once.
    """
    if result._job not in result._cache:
        return
    if hasattr(result, "_index"):
        result._set(result._index, (False, error))
        # There is no reason to wait for what comes after.
        result._set_length(result._index)
        return
    if hasattr(result, "_number_left"):
        result._number_left = 1
    result._set(0, (False, error))


def free_queue(pool: Any, is_busy: Callable[[], bool], has_idle: bool) -> None:
    """
    Release the lock of a pool's queue if it is held by a worker that was killed.

    An idle worker waits for tasks with the lock held. Whether its holder still lives
    cannot be asked, so a task is sent: if a worker is idle and the task is not done in
    a while, none will ever be.

    Args:
        pool: The pool.
        is_busy: Tells whether one of its workers runs a task.
        has_idle: Whether other workers were there when the one was killed.
    """
    lock = pool._inqueue._rlock
    kind = type(pool)
    try:
        probe = getattr(kind.apply_async, "__wrapped__", kind.apply_async)(pool, int)
    except ValueError:
        return  # it is closed
    end, pause = time.monotonic() + (STALL_S if has_idle else 0), threading.Event()
    while not probe.ready():
        if pool._state != "RUN":
            return
        if is_busy():
            end = time.monotonic() + STALL_S
        elif time.monotonic() >= end:
            if lock._semlock._is_zero():
                lock.release()
            return
        pause.wait(LOOK_S)
