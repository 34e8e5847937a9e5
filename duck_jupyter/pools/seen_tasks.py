"""
Submitted tasks: how many items one has, and what was submitted last.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .calls import batch_of
from .seen_state import SeenRun
from .tasks import is_chunk

if TYPE_CHECKING:
    from .tasks import Task

__all__ = ["NOTHING", "Last", "ref_to", "size_of"]

Get = Callable[[], object]
#: The function, the pool, the run, and the function inside: each batch of joblib is an
#: object of its own.
Last = tuple[Get, Get, SeenRun | None, Get]


def _get_nothing() -> object:
    return _get_nothing


#: Before the first task.
NOTHING: Last = (_get_nothing, _get_nothing, None, _get_nothing)


def ref_to(value: Any) -> Get:
    """
    Return a weak reference; to nothing if there is none of such an object.
    """
    try:
        return weakref.ref(value)
    except TypeError:
        # It is looked up each time.
        return _get_nothing


def size_of(task: Task) -> int:
    """
    Return how many items a task has.
    """
    if task.is_map:
        return len(task.args)
    if is_chunk(task.original):
        return len(task.args[0])
    batch = batch_of(task.original)
    return 1 if batch is None else len(batch.items)
