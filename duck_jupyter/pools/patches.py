"""
The one place where pools are patched: the classes whose methods call the features.

- ``ProcessPoolExecutor`` of concurrent.futures, of loky, and of the copy of loky in
  joblib: ``__init__`` (the workers' initializer) and ``submit``, which ``map`` calls.
- ``Pool`` of multiprocessing, and so joblib's: ``__init__``, ``apply_async``,
  ``_map_async``, ``imap`` and ``imap_unordered``, which all others call.
- ``Queue`` and ``JoinableQueue`` of multiprocessing: ``put``, which pickles later.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from ..data.import_hook import ImportWatch
from ..data.replacements import Replacements
from .features import features
from .shield import shield
from .tasks import Task
from .worker import Start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

__all__ = ["Patches", "patches"]

#: Modules with a class of pools, its name, and whether it is an executor.
POOLS = {
    "concurrent.futures.process": ("ProcessPoolExecutor", True),
    "loky.process_executor": ("ProcessPoolExecutor", True),
    "joblib.externals.loky.process_executor": ("ProcessPoolExecutor", True),
    "multiprocessing.pool": ("Pool", False),
}
#: The module with the queues that pickle in a thread of their own.
QUEUES = "multiprocessing.queues"


class Patches:
    """
    Our methods in the classes of pools, also of those that are imported later.
    """

    def __init__(self) -> None:
        self.replaced: Replacements = Replacements()
        self._watch = ImportWatch([*POOLS, QUEUES], self._see)

    def open(self) -> None:
        """
        Replace the methods of the classes. Repeated calls do nothing.
        """
        self._watch.start()
        for name in (*POOLS, QUEUES):
            module = sys.modules.get(name)
            if module is not None:
                self._see(module)

    def close(self) -> None:
        """
        Restore the classes. Repeated calls do nothing.
        """
        self._watch.stop()
        self.replaced.restore()

    def _see(self, module: ModuleType) -> None:
        if module.__name__ == QUEUES:
            self._patch_queues(module)
            return
        name, is_executor = POOLS[module.__name__]
        kind = getattr(module, name, None)
        if kind is None or self.replaced.has(kind, "__init__"):
            return
        if is_executor:
            self._patch_executor(kind)
        else:
            self._patch_pool(kind, module)

    def _patch_executor(self, kind: Any) -> None:
        init_before, submit_before = kind.__init__, kind.submit

        @functools.wraps(init_before)
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            init_before(self, *args, **kwargs)
            calls = features.worker_starts(self)
            if calls:
                self._initializer = Start(self._initializer, calls)
                self._initargs = tuple(self._initargs or ())
            for feature in features.all:
                feature.pool_made(self)

        @functools.wraps(submit_before)
        def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            found = features.all
            if not found:
                return submit_before(self, fn, *args, **kwargs)
            task = Task(self, fn, args, kwargs)
            for feature in found:
                feature.before_submit(task)
            with shield:
                future = submit_before(self, task, *task.args, **task.kwargs)
                for feature in found:
                    feature.after_submit(task, future)
            return future

        self.replaced.put(kind, "__init__", __init__)
        self.replaced.put(kind, "submit", submit)

    def _patch_pool(self, kind: Any, module: Any) -> None:
        init_before, apply_before = kind.__init__, kind.apply_async
        map_before = kind._map_async
        threads = module.ThreadPool

        @functools.wraps(init_before)
        def __init__(
            self: Any,
            processes: Any = None,
            initializer: Any = None,
            *args: Any,
            **kwargs: Any,
        ) -> None:
            if isinstance(self, threads):
                init_before(self, processes, initializer, *args, **kwargs)
                return
            if initializer is None or callable(initializer):
                calls = features.worker_starts(self)
                if calls:
                    initializer = Start(initializer, calls)
            try:
                with shield:
                    init_before(self, processes, initializer, *args, **kwargs)
            except BaseException:
                # Nobody has the pool, so nobody would end its workers.
                _end_half_made(self)
                raise
            for feature in features.all:
                feature.pool_made(self)

        @functools.wraps(apply_before)
        def apply_async(
            self: Any,
            func: Any,
            args: Any = (),
            kwds: Any = None,
            *more: Any,
            **named: Any,
        ) -> Any:
            kwds = {} if kwds is None else kwds
            found = () if isinstance(self, threads) else features.all
            if not found:
                return apply_before(self, func, args, kwds, *more, **named)
            task = Task(self, func, tuple(args), kwds)
            for feature in found:
                feature.before_submit(task)
            given = task.args, task.kwargs
            with shield:
                result = apply_before(self, task, *given, *more, **named)
                for feature in found:
                    feature.after_submit(task, result)
            return result

        @functools.wraps(map_before)
        def _map_async(
            self: Any,
            func: Any,
            iterable: Any,
            mapper: Any,
            chunksize: Any = None,
            *args: Any,
            **kwargs: Any,
        ) -> Any:
            found = () if isinstance(self, threads) else features.all
            if not found:
                return map_before(
                    self, func, iterable, mapper, chunksize, *args, **kwargs
                )
            if not hasattr(iterable, "__len__"):
                iterable = list(iterable)
            if chunksize is None:
                # Python divides by the number of workers, which is 0 if all have just
                # ended.
                chunksize = -(-len(iterable) // (self._processes * 4))
            task = Task(self, func, iterable, {}, is_map=True, mapper=mapper)
            for feature in found:
                feature.before_submit(task)
            given = task.function, task.args, task
            with shield:
                result = map_before(self, *given, chunksize, *args, **kwargs)
                for feature in found:
                    feature.after_submit(task, result)
            return result

        self.replaced.put(kind, "__init__", __init__)
        self.replaced.put(kind, "apply_async", apply_async)
        self.replaced.put(kind, "_map_async", _map_async)
        for name in ("imap", "imap_unordered"):
            self.replaced.put(kind, name, _lazily(vars(kind)[name], threads))

    def _patch_queues(self, module: Any) -> None:
        # Queues of pools are other classes.
        kinds = (module.Queue, module.JoinableQueue)
        for kind in kinds:
            if not self.replaced.has(kind, "put"):
                self.replaced.put(kind, "put", _put(vars(kind)["put"], kinds))


def _end_half_made(pool: Any) -> None:
    """
    End the workers of a `multiprocessing.Pool` whose ``__init__`` has failed.
    """
    if "_terminate" in vars(pool):
        pool.terminate()
        return
    for process in vars(pool).get("_pool", ()):
        if process.exitcode is None:
            process.terminate()
            process.join()


def _put(before: Any, kinds: tuple[Any, ...]) -> Any:
    """
    Wrap the method that puts a value into a queue.
    """

    @functools.wraps(before)
    def put(self: Any, obj: Any, *args: Any, **kwargs: Any) -> None:
        if type(self) in kinds:
            for feature in features.all:
                obj = feature.before_put(obj)
        before(self, obj, *args, **kwargs)

    return put


def _lazily(before: Any, threads: Any) -> Any:
    """
    Wrap a method that takes the items of an iterable one by one, in another thread.
    """

    @functools.wraps(before)
    def method(self: Any, func: Any, iterable: Any, chunksize: int = 1) -> Any:
        found = () if isinstance(self, threads) else features.all
        if not found:
            return before(self, func, iterable, chunksize)
        task = Task(self, func, (), {})
        task.taken = [0, 0]
        for feature in found:
            feature.before_submit(task)
        with shield:
            result = before(self, task, _items(task, iterable), chunksize)
            for feature in found:
                feature.after_submit(task, result)
        return result

    return method


def _items(task: Task, iterable: Any) -> Iterator[Any]:
    """
    Yield the items of an iterable until the task is over.
    """
    taken = task.taken or [0, 0]
    try:
        for item in iterable:
            if task.is_over():
                return
            taken[0] += 1
            yield item
    finally:
        taken[1] = 1


#: Those of this process.
patches: Patches = Patches()
