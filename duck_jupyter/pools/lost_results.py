"""
Lost results: those of a `multiprocessing.Pool`, whose own wait has no end.

This rests on private names of ``multiprocessing.pool``, which are the same in CPython
3.10 to 3.14: ``_cache``, ``_set``, ``_number_left``, ``_index``, ``_set_length``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import WorkerDied
from .healing import state_of
from .tracebacks import dress

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fail", "free_queue", "release_at_end", "result_of"]

#: Seconds in which an idle worker that sleeps would have taken a task.
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
    dress(error)
    if hasattr(result, "_index"):
        result._set(result._index, (False, error))
        if result._job in result._cache:
            # There is no reason to wait for what comes after.
            result._set_length(result._index)
        return
    if hasattr(result, "_number_left"):
        result._number_left = 1
    result._set(0, (False, error))


def free_queue(
    pool: Any, alive: Callable[[], list[int]], busy: Callable[[], list[int]]
) -> None:
    """
    Let a pool go on whose worker was killed with the lock of a queue.

    An idle worker waits for tasks with a lock held, and one that has just ended a task
    holds another. A task is sent to see whether the pool goes on. If all workers wait
    for a lock, none of them has it, and it is released. If that does not help, one was
    killed in the midst of a message, and the queue is emptied. One that starts, or that
    has no processor yet, does not sleep: on a busy machine this takes long.

    Args:
        pool: The pool.
        alive: Lists its workers that have started, which they do before they take a
            lock.
        busy: Lists those of them that run a task.
    """
    kind, has_released, pause = type(pool), False, threading.Event()
    # One that was killed may not have had a processor since, and takes what is in the
    # pipe by then with it.
    while not _all_wait(pool, busy()) and pool._state == "RUN":
        pause.wait(LOOK_S)
    try:
        probe = getattr(kind.apply_async, "__wrapped__", kind.apply_async)(pool, int)
    except ValueError:
        return  # it is closed
    locks = [pool._inqueue._rlock, pool._outqueue._wlock]
    end = time.monotonic() + STALL_S
    while not probe.ready() and pool._state == "RUN":
        if busy() or not _all_wait(pool, []):
            end = time.monotonic() + STALL_S
        elif any(_release_if_lost(lock, alive) for lock in locks):
            has_released, end = True, time.monotonic() + STALL_S
        elif time.monotonic() >= end and has_released:
            _empty(pool, alive())
            return
        pause.wait(LOOK_S)


def release_at_end(pool: Any) -> None:
    """
    Let a pool end whose worker was ended while it sent a result.

    ``Pool.terminate`` ends the workers wherever they are, and its thread then waits for
    the lock that one of them may have had. After an Interrupt all send results.

    Args:
        pool: A pool that is being terminated, in another thread.
    """
    lock, pause, is_held = pool._outqueue._wlock, threading.Event(), False
    while pool._task_handler.is_alive() or pool._result_handler.is_alive():
        pause.wait(LOOK_S)
        # Not their exit codes: to ask for one would be to wait for the process.
        is_over = all(state_of(x.pid) in "ZX" for x in list(pool._pool))
        if is_over and lock.acquire(block=False):
            # Wakes who waits, where a worker was ended before it did.
            lock.release()
        elif is_over and is_held:
            lock.release()
            is_over = False
        is_held = is_over


def _release_if_lost(lock: Any, alive: Callable[[], list[int]]) -> bool:
    """
    Release a lock that no living worker holds; give whether it was so.

    No worker has run between two looks if none was switched to. At the time between
    them, all waited for a lock.
    """
    before = [_wait_for_lock(pid) for pid in alive()]
    threading.Event().wait(LOOK_S)
    # Look at the lock first: its holder has started by the time `alive` is called.
    is_held = lock._semlock._is_zero()
    after = [_wait_for_lock(pid) for pid in alive()]
    if not is_held or None in before or before != after:
        return False
    lock.release()
    return True


def _all_wait(pool: Any, busy: list[int]) -> bool:
    """
    Tell whether a pool has all its workers, and all but the busy ones sleep.
    """
    workers = list(pool._pool)
    return len(workers) >= pool._processes and all(
        x.pid in busy or state_of(x.pid) == "S" for x in workers
    )


def _wait_for_lock(pid: int) -> tuple[int, str] | None:
    """
    Tell which of its waits a process is in, or None if not in one for a lock.

    Returns:
        The process, and how often it has given up the processor (proc(5), wchan, and
        voluntary_ctxt_switches in status).
    """
    folder = Path("/proc", str(pid))
    try:
        status = (folder / "status").read_text("utf-8", "replace")
        if "futex" not in (folder / "wchan").read_text("ascii"):
            return None
    except OSError:
        return None
    return pid, status.partition("\nvoluntary_ctxt_switches:")[2].partition("\n")[0]


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
