"""
Task: what a pool is given in place of a function, in the notebook's process.
"""

from __future__ import annotations

import functools
import itertools
import weakref
from typing import TYPE_CHECKING, Any

from ..protocol.escaping import printable
from .worker import Running

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WRAPPER", "Task", "change_batch", "function_of", "is_chunk", "name_of"]

#: Classes of joblib that hold the functions of tasks, and their arguments.
BATCH, WRAPPER = "BatchedCalls", "_TracebackCapturingWrapper"

#: Characters of a function's name.
MOST_OF_NAME = 80

_ids = itertools.count(1)


class Task:
    """
    Stands for a function in a pool. Pickled, it is the `Running` that a worker calls.

    Attributes:
        pool: The pool, or None where it has been collected: an executor ends once its
            user holds no reference to it, also while its tasks wait.
        function: What is called. Features may replace it.
        args: The arguments of the call. For a map, the items of the iterable.
        kwargs: The keyword arguments of the call.
        original: The function as the user gave it.
        is_map: `args` are items, each of which is a call's only argument, or in a
            ``starmap`` its arguments. The worker gets them in chunks.
        held: What is released when the task has ended.
        notes: What the worker is told beside, by feature: `Running.notes`. It may be
            changed until the pool pickles the task.
        is_over: Tells whether an `imap` is to take no more items.
    """

    __slots__ = (
        "__weakref__",
        "_pool",
        "args",
        "function",
        "held",
        "id",
        "is_map",
        "is_over",
        "kwargs",
        "mapper",
        "notes",
        "original",
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
        self.id: int = next(_ids)
        self._pool: weakref.ref[Any] = weakref.ref(pool)
        self.function: Any = function
        self.original: Any = function
        self.args: Any = args
        self.kwargs: dict[str, Any] = kwargs
        self.is_map: bool = is_map
        #: What a `multiprocessing.Pool` calls with a chunk; it has the function beside.
        self.mapper: Any = mapper
        self.held: list[Any] = []
        self.notes: dict[str, Any] = {}
        self.is_over: Callable[[], bool] = bool

    @property
    def pool(self) -> Any:
        """
        The pool, or None.
        """
        return self._pool()

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
        if type(function).__name__ == WRAPPER and inner:
            function = inner
            continue
        items = getattr(function, "items", None)
        if type(function).__name__ == BATCH and items:
            function = items[0][0]
            continue
        return function


def change_batch(function: Any, change: Callable[[Any], Any]) -> Any:
    """
    Give a copy of a batch of joblib's with other calls; all else as it is.

    Args:
        function: The batch, or anything else.
        change: Gives another call in place of one: function, arguments, and keyword
            arguments by name.
    """
    kind = type(function).__name__
    if kind not in (BATCH, WRAPPER):
        return function
    # Not by `copy`: its `__reduce__` tells joblib that it is pickled.
    copied = object.__new__(type(function))
    copied.__dict__.update(vars(function))
    if kind == WRAPPER:
        copied.func = change_batch(function.func, change)
    else:
        copied.items = [change(call) for call in function.items]
    return copied


def name_of(function: Any) -> str:
    """
    Name a function for messages, which go to a terminal.
    """
    found = function_of(function)
    name = str(getattr(found, "__qualname__", type(found).__name__))
    return printable(name if len(name) <= MOST_OF_NAME else name[:MOST_OF_NAME] + "…")
