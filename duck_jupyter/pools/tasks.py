"""
Task: a pool gets it in place of a function, in the notebook's process.
"""

from __future__ import annotations

import functools
import itertools
import weakref
from typing import TYPE_CHECKING, Any

from ..protocol.escaping import printable
from .worker import Running

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "BATCH",
    "WRAPPER",
    "Task",
    "change_batch",
    "function_of",
    "is_chunk",
    "name_of",
]

#: Classes of joblib that hold the functions of tasks, and their arguments.
BATCH, WRAPPER = "BatchedCalls", "_TracebackCapturingWrapper"

#: The longest name of a function in messages, in characters.
MOST_OF_NAME = 80

_ids = itertools.count(1)


class Task:
    """
    Replaces a function in a pool. It is pickled as the `Running` that a worker calls.

    Attributes:
        pool: The pool, or None if it was collected: an executor ends once its user
            holds no reference to it, also while its tasks wait.
        function: The function to call. Features may replace it.
        args: The arguments of the call. For a map, the items of the iterable.
        kwargs: The keyword arguments of the call.
        original: The function as the user gave it.
        is_map: Whether `args` are items: each is the only argument of a call, or in a
            ``starmap`` its arguments. The worker gets them in chunks.
        held: The holds that are released when the task has ended.
        notes: Data for the worker, by feature: `Running.notes`. It may be changed until
            the pool pickles the task.
        is_over: Returns whether an `imap` must take no more items.
        size: The number of items, if it is known.
        taken: Of an `imap`: the number of taken items, and 1 if there are no more.
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
        "size",
        "taken",
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
        #: A `multiprocessing.Pool` calls this with the function and a chunk.
        self.mapper: Any = mapper
        # No list: what a task does not have costs the garbage collector nothing.
        self.held: Sequence[Any] = ()
        self.notes: dict[str, Any] = {}
        self.is_over: Callable[[], bool] = bool
        self.size: int = 1
        self.taken: list[int] | None = None

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
    Return whether a function is the one that ``Executor.map`` calls with chunks.
    """
    return (
        type(function) is functools.partial
        and getattr(function.func, "__name__", "") == "_process_chunk"
    )


def function_of(function: Any) -> Any:
    """
    Return the function inside of partials, chunks of a map and batches of joblib.
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
    Return a copy of a batch of joblib with other calls; other values unchanged.

    Args:
        function: The batch, or anything else.
        change: Returns the replacement of a call: function, arguments, and keyword
            arguments by name.
    """
    kind = type(function).__name__
    if kind not in (BATCH, WRAPPER):
        return function
    # `copy` would call its `__reduce__`, by which joblib notes that it is pickled.
    copied = object.__new__(type(function))
    copied.__dict__.update(vars(function))
    if kind == WRAPPER:
        copied.func = change_batch(function.func, change)
    else:
        copied.items = [change(call) for call in function.items]
    return copied


def name_of(function: Any) -> str:
    """
    Return the name of a function for messages, which may be shown in a terminal.
    """
    found = function_of(function)
    name = str(getattr(found, "__qualname__", type(found).__name__))
    return printable(name if len(name) <= MOST_OF_NAME else name[:MOST_OF_NAME] + "…")
