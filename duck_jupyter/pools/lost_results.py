"""
Lost results of a `multiprocessing.Pool`, for which the pool would wait forever.

This uses private names of ``multiprocessing.pool``, which are the same in CPython
3.10 to 3.14: ``_cache``, ``_set``, ``_number_left``, ``_index``, ``_set_length``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from ..errors import WorkerDied
from .standstill import all_wait_for, progress_of, state_of
from .tracebacks import dress

if TYPE_CHECKING:
    from collections.abc import Callable

    from .standstill import Progress

__all__ = ["fail", "free_queue", "release_at_end", "result_of"]

#: Seconds in which no worker has run at all; an idle one would have taken a task.
STALL_S = 1.0
#: Seconds that new workers may take to start.
START_S = 30.0
#: Tasks of our own that are sent anew where the first has no answer.
MOST_PROBES = 1
LOOK_S = 0.05


def result_of(given: Any) -> Any:
    """
    Return the pool's own object in the result of a method of the pool, or None.
    """
    frame = getattr(given, "gi_frame", None)
    if frame is not None:
        # An `imap` with chunks: a generator over the chunks.
        given = frame.f_locals.get(".0")
    return given if hasattr(given, "_cache") and hasattr(given, "_job") else None


def fail(result: Any, error: BaseException) -> None:
    """
    Raise an error at once in the threads that wait for a result.
    """
    if result._job not in result._cache:
        return
    dress(error)
    if hasattr(result, "_index"):
        result._set(result._index, (False, error))
        if result._job in result._cache:
            # The wait for later items ends as well.
            result._set_length(result._index)
        return
    if hasattr(result, "_number_left"):
        result._number_left = 1
    result._set(0, (False, error))


def free_queue(
    pool: Any, alive: Callable[[], list[int]], is_busy: Callable[[], bool]
) -> None:
    """
    Let a pool go on if a killed worker held the lock of a queue.

    An idle worker waits for tasks with a lock held, and one that has just ended a task
    holds another. If all workers wait for a lock, none of them has it, and it is
    released. Tasks of our own are sent to see whether the pool goes on. If it does not,
    a worker was killed in the midst of a message, and the queue is emptied.

    Args:
        pool: The pool.
        alive: Returns its workers that have started. A worker starts before it takes
            a lock.
        is_busy: Returns whether one of them runs a task.
    """
    locks = [pool._inqueue._rlock, pool._outqueue._wlock]
    pause, probe, probes = threading.Event(), None, 0
    now, end = time.monotonic(), 0.0
    last_start = now + START_S
    before: dict[int, Progress] = {}
    while pool._state == "RUN" and (probe is None or not probe.ready()):
        for lock in locks:
            _release_if_lost(pool, lock, alive)
        now, workers = time.monotonic(), {pid: progress_of(pid) for pid in alive()}
        stands = workers and all(x.state == "S" for x in workers.values())
        if not stands or workers != before or is_busy():
            # A worker starts or runs, if slowly.
            before, end = workers, now + STALL_S
        if probe is None:
            # A worker that was killed, and has not ended yet, still reads what comes.
            if len(workers) == pool._processes or now >= last_start:
                probe = _send_probe(pool)
                end = now + STALL_S
        elif now >= end and probes < MOST_PROBES:
            # One task may be lost with a worker that had just taken it.
            probe, probes, end = _send_probe(pool), probes + 1, now + STALL_S
        elif now >= end:
            _empty(pool, list(workers))
            return
        pause.wait(LOOK_S)


def _send_probe(pool: Any) -> Any:
    """
    Send a task that is none of the user's, and give its result, or None.
    """
    send = type(pool).apply_async
    try:
        return getattr(send, "__wrapped__", send)(pool, int)
    except ValueError:
        return None  # it is closed


def release_at_end(pool: Any) -> None:
    """
    Let a pool end if a worker was ended while it sent a result.

    ``Pool.terminate`` ends the workers at any point, and its thread then waits for the
    lock that one of them may have held. After an Interrupt all workers send results.

    Args:
        pool: A pool that is being terminated, in another thread.
    """
    lock, pause, is_held = pool._outqueue._wlock, threading.Event(), False
    while pool._task_handler.is_alive() or pool._result_handler.is_alive():
        pause.wait(LOOK_S)
        # Exit codes are not read: reading one would collect the process.
        is_over = all(state_of(x.pid) in "ZX" for x in list(pool._pool))
        if is_over and lock.acquire(block=False):
            # Wakes the thread that waits, if the worker ended before it could.
            lock.release()
        elif is_over and is_held:
            lock.release()
            is_over = False
        is_held = is_over


def _release_if_lost(pool: Any, lock: Any, alive: Callable[[], list[int]]) -> bool:
    """
    Release a lock that no living worker of a pool holds; return whether it did.
    """
    workers = list(pool._pool)
    # Look at the lock first: its holder has started by the time `alive` is called.
    if not lock._semlock._is_zero() or not all_wait_for(lock, alive()):
        return False
    # A worker that is being started is not in the list yet, and may have the lock.
    if len(workers) < pool._processes or list(pool._pool) != workers:
        return False
    lock.release()
    return True


def _empty(pool: Any, workers: list[int]) -> None:
    """
    Empty the queue of a pool whose workers cannot read it, and fail what it had.
    """
    error = WorkerDied(
        "A worker was killed while it took a task from the pool's queue, so the tasks "
        "that were in the queue are lost; submit them again."
    )
    for result in list(pool._cache.values()):
        fail(result, error)
    for pid in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    reader = pool._inqueue._reader
    while reader.poll():
        os.read(reader.fileno(), 1 << 16)
    for lock in (pool._inqueue._rlock, pool._outqueue._wlock):
        if lock._semlock._is_zero():
            lock.release()
