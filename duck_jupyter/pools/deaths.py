"""
Deaths: the error of a task says how its worker was killed, and no wait is endless.

An executor notices the death by itself, and fails all its tasks with a message without
a cause: this module replaces the message. A `multiprocessing.Pool` replaces the worker,
and code that waits for the task would wait for ever: it gets `WorkerDied`.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
import time
import weakref
from concurrent.futures import process as futures_process
from multiprocessing import pool as mp_pool
from multiprocessing import popen_fork
from typing import TYPE_CHECKING, Any

from ..data.import_hook import ImportWatch
from ..data.replacements import Replacements
from ..errors import TaskInterrupted, WorkerDied
from .calls import short_call
from .explaining import Explainer
from .features import Feature
from .lost_results import fail, result_of
from .memory_use import Peaks, wait_with_usage
from .pool_end import terminate_pool
from .pool_queues import PoolQueues
from .seen_sources import options
from .tasks import WRAPPER, Task, name_of
from .tracebacks import dress

if TYPE_CHECKING:
    from types import ModuleType

    from .board import Board, Entry
    from .slots import Slots

__all__ = ["Deaths"]

#: Modules of loky: its executor's thread, and its processes.
LOKY = ("loky", "joblib.externals.loky")
MODULES = [
    f"{package}.{name}"
    for package in LOKY
    for name in ("process_executor", "backend.popen_loky_posix")
]
#: Seconds from the end of a worker's pipe until its exit code can be read.
EXIT_S = 0.5
LOOK_S = 0.002
#: The number of awaited results from which those that are done are dropped.
MANY = 64
AGAIN = "Make a new pool."
EXIT_CODES = re.compile(r"The exit codes of the workers are \{.*EXIT\(.*\}")


class Deaths(Feature):
    """
    Explains deaths of workers.

    Args:
        slots: The owner of the board.
    """

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._replaced = Replacements()
        self._watch = ImportWatch(MODULES, self._see)
        self._peaks = Peaks(self._running)
        self._explainer = Explainer(self._peaks)
        # By number, the tasks of pools whose results are awaited, and these results.
        self._given: dict[int, tuple[Task, weakref.ref[Any]]] = {}
        # The deaths of workers at tasks whose results are not noted yet.
        self._early: dict[int, tuple[int, int, Entry]] = {}
        self._many = MANY
        # By the identity of its list of workers.
        self._pools: weakref.WeakValueDictionary[int, Any] = (
            weakref.WeakValueDictionary()
        )
        self._queues = PoolQueues(lambda: self._board.workers(), self._running)
        self._has_pools = False

    @property
    def _board(self) -> Board:
        return self._slots.board

    def open(self) -> None:
        """
        Replace the methods of pools.
        """
        self._replaced.put(popen_fork.Popen, "poll", wait_with_usage(self._peaks))
        self._replaced.put(
            mp_pool.Pool, "_join_exited_workers", staticmethod(self._join_exited)
        )
        self._replaced.put(mp_pool.Pool, "join", self._queues.join)
        self._replaced.put(mp_pool.Pool, "_terminate_pool", classmethod(terminate_pool))
        self._replaced.put(
            mp_pool.Pool, "_handle_results", staticmethod(self._queues.handle_results)
        )
        self._patch_thread(futures_process)
        self._watch.start()
        for name in MODULES:
            if name in sys.modules:
                self._see(sys.modules[name])

    def close(self) -> None:
        """
        Restore the methods of pools.
        """
        self._watch.stop()
        self._replaced.restore()
        self._queues.close()
        self._peaks.close()

    def pool_made(self, pool: Any) -> None:
        """
        Note a pool.
        """
        self._has_pools = True
        self._queues.note(pool)
        workers = getattr(pool, "_pool", None)
        if workers is not None:
            self._pools[id(workers)] = pool

    def cell_begins(self) -> None:
        """
        Note how many processes the system has killed so far.
        """
        if self._has_pools:
            self._explainer.look()

    def before_submit(self, task: Task) -> None:
        """
        Note a task, and keep it on the board if the pool would lose it.
        """
        pool = task.pool
        # It may be older than we are.
        self.pool_made(pool)
        context = getattr(pool, "_mp_context", None) or getattr(pool, "_ctx", None)
        if context is not None and context.get_start_method() == "forkserver":
            self._peaks.watch()
        if not hasattr(pool, "submit") and type(task.original).__name__ != WRAPPER:
            task.notes["is_lost_by_exit"] = True

    def after_submit(self, task: Task, result: Any) -> None:
        """
        Note the result object of a task of a `multiprocessing.Pool`.
        """
        if not hasattr(task.pool, "submit"):
            found = result_of(result)
            if found is not None:
                # A task releases its data with its result, also while a long cell runs.
                drop = functools.partial(self._given.pop, task.id)
                self._given[task.id] = task, weakref.ref(found, drop)
                # Its worker may have died before.
                self._fail(task.id)
            if len(self._given) > self._many:
                self._let_go()

    def cell_ends(self, error: BaseException | None) -> None:
        """
        Release ended tasks.
        """
        self._let_go()

    def submit_waits(self) -> None:
        """
        Release ended tasks: a waiting submit may need their data to be released.
        """
        self._let_go()

    def _let_go(self) -> None:
        # Their arguments may be large.
        for number, (_, get) in list(self._given.items()):
            result = get()
            if result is None or result._job not in result._cache:
                self._given.pop(number, None)
        self._many = MANY + 2 * len(self._given)

    def _running(self) -> list[int]:
        return [entry.pid for entry in self._board.running()]

    # For executors: this code runs in their manager threads.

    def _see(self, module: ModuleType) -> None:
        if module.__name__.endswith("popen_loky_posix"):
            self._replaced.put(module.Popen, "poll", wait_with_usage(self._peaks))
        else:
            self._patch_thread(module)

    def _patch_thread(self, module: Any) -> None:
        kind = getattr(module, "_ExecutorManagerThread", None)
        before = getattr(kind, "terminate_broken", None)
        if kind is None or before is None:
            return

        @functools.wraps(before)
        def terminate_broken(thread: Any, cause: Any) -> None:
            text = self._explain_all(thread)
            if not text:
                before(thread, cause)
            elif isinstance(cause, BaseException):
                # Of loky, which has made the error of all tasks.
                cause.args = (text + _exit_codes(cause),)
                dress(cause)
                before(thread, cause)
            else:
                _fail_all(thread, dress(module.BrokenProcessPool(text)))
                before(thread, cause)

        self._replaced.put(kind, "terminate_broken", terminate_broken)

    def _explain_all(self, thread: Any) -> str:
        """
        Describe how the workers of an executor died; "" if none is dead.
        """
        end, pause = time.monotonic() + EXIT_S, threading.Event()
        dead: list[tuple[int, int]] = []
        while not dead and time.monotonic() < end:
            workers = list(thread.processes.items())
            codes = [(pid, worker.exitcode) for pid, worker in workers]
            dead = [(pid, code) for pid, code in codes if code is not None]
            if not dead:
                pause.wait(LOOK_S)
        tasks = {
            item.fn.id: (item.fn, item.args, item.kwargs)
            for item in list(thread.pending_work_items.values())
            if isinstance(item.fn, Task)
        }
        words = []
        for pid, code in dead:
            entry, call = self._board.last(pid), "a task"
            if entry is not None and entry.task in tasks:
                task, args, kwargs = tasks[entry.task]
                call = short_call(task.original, args, kwargs, entry.item)
            words.append(self._explainer.explain(pid, code, entry, call))
            self._note_killed(thread.processes.get(pid), entry)
            self._board.forget(pid)
        return " ".join([*words, AGAIN]) if words else ""

    def _note_killed(self, process: Any, entry: Entry | None) -> None:
        """
        Note a worker that neither an Interrupt nor its pool has killed.
        """
        is_at_task = entry is not None and not entry.is_sending
        if process is not None and is_at_task and not self._is_cut(entry):
            options.note_killed(process)

    def _is_cut(self, entry: Entry | None) -> bool:
        return entry is not None and self._board.is_interrupted(entry.run)

    # For a `multiprocessing.Pool`: this code runs in its thread that watches workers.

    def _join_exited(self, workers: list[Any]) -> bool:
        before = list(workers)
        is_any = _join_exited_workers(workers)
        # Only after it: it may find workers that had not ended before.
        for process in before if is_any else ():
            if process not in workers:
                self._has_ended(process, workers)
        return bool(is_any)

    def _has_ended(self, process: Any, workers: list[Any]) -> None:
        pid, code = process.pid, process.exitcode
        entry, pool = self._board.last(pid), self._pools.get(id(workers))
        if pool is not None and code and (entry is None or entry.is_sending):
            # It may have had the lock of a queue.
            self._queues.check(pool)
        if entry is None:
            return
        if code and (pool is None or pool._state != "TERMINATE"):
            self._note_killed(process, entry)
        self._board.forget(pid)
        if entry.is_starting:
            self._has_not_started(pid, code, entry, workers)
            return
        self._early[entry.task] = pid, code, entry
        for number in list(self._early)[:-MANY]:
            self._early.pop(number, None)  # its result went before it was noted
        self._fail(entry.task)

    def _fail(self, number: int) -> None:
        """
        Fail a task whose worker has died, once its result and the death are known.
        """
        task, get = self._given.get(number, (None, None))
        result = None if get is None else get()
        if task is None or result is None:
            return
        death = self._early.pop(number, None)
        if death is not None:
            fail(result, self._error_of(*death, task, result))

    def _error_of(
        self, pid: int, code: int, entry: Entry, task: Task, result: Any
    ) -> Exception:
        if self._board.is_interrupted(entry.run):
            return TaskInterrupted("the task's worker was killed: it was interrupted")
        call = _call_of(task, entry, result)
        return WorkerDied(self._explainer.explain(pid, code, entry, call))

    def _has_not_started(
        self, pid: int, code: int, entry: Entry, workers: list[Any]
    ) -> None:
        """
        End a pool whose initializer fails, and which would start workers for ever.
        """
        pool = self._pools.get(id(workers))
        pids = {worker.pid for worker in list(workers)}
        if (
            pool is None
            or not pool._cache
            or any(
                worker in pids
                and not ((last := self._board.last(worker)) and last.is_starting)
                for worker in self._board.workers()
            )
        ):
            return
        text = self._explainer.explain(pid, code, entry, "")

        def fail_all() -> None:
            for result in list(pool._cache.values()):
                fail(result, WorkerDied(f"{text} The pool has ended. {AGAIN}"))

        def end() -> None:
            pool.terminate()
            fail_all()

        fail_all()
        threading.Thread(target=end, daemon=True, name="duck-pool-end").start()


#: That of Python.
_join_exited_workers = mp_pool.Pool._join_exited_workers  # type: ignore[attr-defined]


def _exit_codes(cause: BaseException) -> str:
    """
    Return what loky says of exit codes, which users may look for in the error.

    Signals are told with the same names.
    """
    found = EXIT_CODES.search(str(cause))
    return "" if found is None else f" {found[0]}."


def _call_of(task: Task, entry: Entry, result: Any) -> str:
    """
    Write in short the call that a worker was executing.
    """
    args, of, chunksize = task.args, "", getattr(result, "_chunksize", 0)
    if task.is_map:
        name = getattr(task.mapper, "__name__", "")
        of = "starmap" if name == "starmapstar" else "map"
        if chunksize and entry.chunk >= 0:
            args = list(args)[entry.chunk * chunksize : (entry.chunk + 1) * chunksize]
    elif hasattr(result, "_index"):
        # Of an `imap`, only the worker has seen the items.
        return f"{name_of(task.original)}(...)"
    return short_call(task.original, args, task.kwargs, entry.item, of)


def _fail_all(thread: Any, error: BaseException) -> None:
    """
    Break an executor; its tasks get our error.
    """
    with thread.shutdown_lock:
        executor = thread.executor_reference()
        if executor is not None:
            executor._broken = str(error)
            executor._shutdown_thread = True
            # Else the executor's own code would write its own text there.
            thread.executor_reference = lambda: None
        for item in list(thread.pending_work_items.values()):
            # It may be cancelled: the executor's own loop fails over that up to 3.11.
            if not item.future.done():
                item.future.set_exception(error)
        thread.pending_work_items.clear()
