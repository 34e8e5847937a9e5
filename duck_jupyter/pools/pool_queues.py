"""
The queues of a `multiprocessing.Pool`, one of whose workers was killed.

An idle worker holds a lock while it waits for a task. A worker that has ended a task
holds another one while it sends the result. If it is killed, nobody releases the lock,
and Python's pool does not go on. This module releases such a lock once no living worker
can have it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
import weakref
from multiprocessing import connection
from multiprocessing import pool as mp_pool
from typing import TYPE_CHECKING, Any

from ..errors import WorkerDied
from .cut_results import ResultReaders, give_up
from .lost_results import fail
from .pool_end import release
from .result_errors import handle_results
from .standstill import all_wait_for, living, progress_of, waits_for_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .standstill import Progress

__all__ = ["PoolQueues"]

#: Seconds in which no worker has run at all; an idle one would have taken a task.
STALL_S = 1.0
#: Seconds that new workers may take to start.
START_S = 30.0
#: Tasks of our own that are sent anew where the first has no answer.
MOST_PROBES = 1
LOOK_S = 0.05

#: That of Python.
_join = mp_pool.Pool.join


class PoolQueues:
    """
    The queues of all pools.

    Args:
        workers: Returns the workers that have started. A worker starts before it takes
            a lock.
        running: Returns those of them that run a task.
    """

    def __init__(
        self, workers: Callable[[], Iterable[int]], running: Callable[[], Iterable[int]]
    ) -> None:
        self._workers = workers
        self._running = running
        self._readers = ResultReaders()
        # The pools that are being checked: whether another worker was killed meanwhile.
        self._checked: weakref.WeakKeyDictionary[Any, bool]
        self._checked = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def note(self, pool: Any) -> None:
        """
        Note a pool or an executor.
        """
        self._readers.note(pool)

    def close(self) -> None:
        """
        Let pools read their results as Python does.
        """
        self._readers.close()

    @property
    def handle_results(self) -> Callable[[Any, Any, Any], None]:
        """
        What the thread of a pool runs, to read results.
        """
        return handle_results(self._readers)

    def check(self, pool: Any) -> None:
        """
        Let a pool go on, one of whose workers was killed outside of a task.
        """
        with self._lock:
            is_checked = pool in self._checked
            if not is_checked:
                self._start(self._free, pool)
            self._checked[pool] = is_checked

    @property
    def join(self) -> Callable[[Any], None]:
        """
        ``Pool.join``, for a pool that was closed just after a worker was killed.

        A closed pool does not look at its workers if it has no task.
        """

        @functools.wraps(_join)
        def join(pool: Any) -> None:
            if pool._state == "CLOSE" and not isinstance(pool, mp_pool.ThreadPool):
                self._start(self._check_when_ended, pool)
            _join(pool)

        return join

    def _start(self, function: Callable[[Any], None], pool: Any) -> None:
        threading.Thread(
            target=function, args=(pool,), daemon=True, name="duck-pool-queue"
        ).start()

    def _check_when_ended(self, pool: Any) -> None:
        """
        Check a closed pool once one of its workers has ended, for whatever reason.
        """
        connection.wait([process.sentinel for process in list(pool._pool)])
        self.check(pool)

    def _free(self, pool: Any) -> None:
        try:
            while True:
                self._release_until_at_work(pool)
                with self._lock:
                    if not self._checked[pool]:
                        del self._checked[pool]
                        return
                    # The pool was seen at work, and then one more worker was killed.
                    self._checked[pool] = False
        except BaseException:
            with self._lock:
                self._checked.pop(pool, None)
            raise

    def _release_until_at_work(self, pool: Any) -> None:
        """
        Release the locks that no living worker holds, until the pool goes on or ends.

        Tasks of our own are sent to see whether the pool goes on. If it does not, a
        worker was killed while it read a task, and the queue is emptied.
        """
        pause, probe, probes = threading.Event(), None, 0
        now, end = time.monotonic(), 0.0
        last_start = now + START_S
        before: dict[int, Progress] = {}
        while _is_at_work(pool) and (probe is None or not probe.ready()):
            self._release_lost(pool)
            alive = self._alive(pool)
            now, workers = time.monotonic(), {pid: progress_of(pid) for pid in alive}
            stands = workers and all(x.state == "S" for x in workers.values())
            is_busy = not set(self._running()).isdisjoint(_pids(pool))
            if not stands or workers != before or is_busy:
                # A worker starts or runs, if slowly.
                before, end = workers, now + STALL_S
            if probe is None and pool._state == "RUN":
                # A worker that was killed, and has not ended yet, still reads tasks.
                if len(workers) == pool._processes or now >= last_start:
                    probe = _send_probe(pool)
                    end = now + STALL_S
            elif now >= end and probes < MOST_PROBES and pool._state == "RUN":
                # One task may be lost with a worker that had just taken it.
                probe, probes, end = _send_probe(pool), probes + 1, now + STALL_S
            elif now >= end and (probe or pool._inqueue._reader.poll(0)):
                _empty(pool, list(workers))
                return
            pause.wait(LOOK_S)

    def _alive(self, pool: Any) -> list[int]:
        pids = _living(pool)
        return [pid for pid in self._workers() if pid in pids]

    def _release_lost(self, pool: Any) -> None:
        tasks, results = pool._inqueue, pool._outqueue
        locks = [tasks._rlock, results._wlock]
        # A worker reads a task with the first lock, and without the second.
        if self._is_lost(pool, tasks._rlock, locks):
            release(tasks._rlock)
        if self._is_lost(pool, results._wlock, [*locks, tasks._reader]):
            if waits_for_message(pool._result_handler, results._reader):
                release(results._wlock)
            else:
                # Else the next result would be taken for the rest of this one.
                give_up(results._reader)

    def _is_lost(self, pool: Any, lock: Any, waits: list[Any]) -> bool:
        """
        Tell whether a lock is held by no living worker.

        Args:
            pool: The pool.
            lock: The lock.
            waits: What a worker waits for without it.
        """
        workers = list(pool._pool)
        # Look at the lock first: its holder has started by the time others are listed.
        if not lock._semlock._is_zero() or not all_wait_for(waits, self._alive(pool)):
            return False
        # A worker that is being started is not in the list, and may have the lock.
        is_whole = (
            len(workers) >= pool._processes or not pool._worker_handler.is_alive()
        )
        return is_whole and list(pool._pool) == workers


def _is_at_work(pool: Any) -> bool:
    """
    Tell whether a pool takes tasks, or is closed and has not ended.
    """
    threads = (pool._task_handler, pool._result_handler)
    is_ending = any(thread.is_alive() for thread in threads) or bool(_living(pool))
    return bool(pool._state == "RUN" or (pool._state == "CLOSE" and is_ending))


def _pids(pool: Any) -> list[int]:
    return [process.pid for process in list(pool._pool)]


def _living(pool: Any) -> list[int]:
    return living(_pids(pool))


def _send_probe(pool: Any) -> Any:
    """
    Send a task that is none of the user's, and give its result, or None.
    """
    send = type(pool).apply_async
    try:
        return getattr(send, "__wrapped__", send)(pool, int)
    except ValueError:
        return None  # it is closed


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
            release(lock)
