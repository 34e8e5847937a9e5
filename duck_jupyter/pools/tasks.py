"""
Task: what a pool is given in place of a function, in the notebook's process.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

from .worker import Running

__all__ = ["Task", "function_of", "is_chunk", "name_of"]

_ids = itertools.count(1)


class Task:
    """
    Stands for a function in a pool. Pickled, it is the `Running` that a worker calls.

    Attributes:
        pool: The pool, or None where it has been collected.
        function: What is called. Features may replace it.
        args: The arguments of the call. For a map, the items of the iterable.
        kwargs: The keyword arguments of the call.
        original: The function as the user gave it.
        is_map: `args` are items, each of which is a call's only argument, or in a
            ``starmap`` its arguments. The worker gets them in chunks.
        notes: What the worker is told beside, by feature: `Running.notes`. It may be
            changed until the pool pickles the task.
    """

    __slots__ = (
        "__weakref__",
        "args",
        "function",
        "id",
        "is_map",
        "kwargs",
        "mapper",
        "notes",
        "original",
        "pool",
    )

    def __init__(
        self,
        pool: Any,
        function: Any,
        args: Any,
        kwargs: dict[str, Any],
        *,
        is_map: bool = False,
        mapper: Any = None,
    ) -> None:
        self.id = next(_ids)
        self.pool = pool
        self.function = self.original = function
        self.args = args
        self.kwargs = kwargs
        self.is_map = is_map
        #: What a `multiprocessing.Pool` calls with a chunk; it has the function beside.
        self.mapper = mapper
        self.notes: dict[str, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        called = self.function if self.mapper is None else self.mapper
        return Running, (called, self.id, self.notes)


def is_chunk(function: Any) -> bool:
    """
    Tell whether a function is what ``Executor.map`` makes of one for its chunks.
    """
    return (
        type(function) is functools.partial
        and getattr(function.func, "__name__", "") == "_process_chunk"
    )


def function_of(function: Any) -> Any:
    """
    Give the function inside of partials, chunks of a map and batches of joblib.
    """
    while True:
        if type(function) is functools.partial:
            function = function.args[0] if is_chunk(function) else function.func
            continue
        inner = getattr(function, "func", None)
        if type(function).__name__ == "_TracebackCapturingWrapper" and inner:
            function = inner  # joblib's, with its backend of multiprocessing
            continue
        items = getattr(function, "items", None)
        if type(function).__name__ == "BatchedCalls" and items:
            function = items[0][0]
            continue
        return function


def name_of(function: Any) -> str:
    """
    Name a function for messages.
    """
    found = function_of(function)
    return str(getattr(found, "__qualname__", type(found).__name__))
