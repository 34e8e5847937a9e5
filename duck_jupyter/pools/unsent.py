"""
Arguments of a task that a pool could not pickle: which one it is, and what to do.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..data.handover import handover
from .culprits import find_culprit
from .features import Feature
from .members import FILES
from .tasks import BATCH, WRAPPER, Task, is_chunk, name_of
from .tracebacks import dress
from .unreturned import add_unreturned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .features import Call

__all__ = ["Unsent"]


class Unsent(Feature):
    """
    Explains errors of pickling.
    """

    def worker_start(self, pool: Any) -> Call:
        """
        Let each worker explain which result it cannot send.
        """
        return add_unreturned, ()

    def open(self) -> None:
        """
        Learn of such errors.
        """
        handover.on_failure = explain

    def close(self) -> None:
        """
        Leave them as pickle raises them.
        """
        handover.on_failure = None


def explain(sent: Any, error: Exception) -> None:
    """
    Add a note to an error of pickling, and show it without the frames of the pool.

    Args:
        sent: What a pool could not pickle.
        error: The error. It stays the same, because pools and users ask for its class.
    """
    # Of an executor, and of a `multiprocessing.Pool`.
    call = getattr(sent, "fn", None), getattr(sent, "args", ())
    more = getattr(sent, "kwargs", {})
    if type(sent) is tuple and len(sent) == 5:
        call, more = sent[2:4], sent[4]
    task, args = call
    if not isinstance(task, Task):
        return
    with contextlib.suppress(Exception):  # the arguments may be of any class
        for label, value in _arguments(task, args, more):
            what = _unsendable(value)
            if what:
                text = f"{label} of {name_of(task.original)} cannot be sent {what}"
                notes = [*getattr(error, "__notes__", []), text]
                error.__notes__ = notes  # type: ignore[attr-defined]
                break
    dress(error)
    if "loky" in type(sent).__module__:
        waiting = getattr(task.pool, "_pending_work_items", {}).get(sent.work_id)
        if waiting is not None:
            waiting.future = _Future(waiting.future, error)


class _Future:
    """
    A future to which loky gives an error of its own, which does not say what failed.
    """

    def __init__(self, future: Any, error: Exception) -> None:
        self._future = future
        self._error = error

    def set_exception(self, raised: Any) -> None:
        """
        Add what failed to the error of loky.
        """
        error = self._error
        why = f"{type(error).__name__}: {error}"
        raised.__notes__ = [why, *getattr(error, "__notes__", [])]
        self._future.set_exception(dress(raised))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._future, name)


def _arguments(task: Task, args: Any, kwargs: Any) -> Iterator[tuple[str, Any]]:
    function = task.original
    if type(function).__name__ == WRAPPER:
        function = function.func
    if type(function).__name__ == BATCH:
        for _, its, by_name in function.items:
            yield from _named(its, by_name)
    elif task.mapper is not None:
        yield from (("An item", item) for item in args[0][1])
    elif is_chunk(function):
        for items in args[0]:
            yield from _named(items, {})
    else:
        yield from _named(args, kwargs)


def _named(args: Any, kwargs: Any) -> Iterator[tuple[str, Any]]:
    yield from ((f"Argument {place}", value) for place, value in enumerate(args, 1))
    yield from ((f"Argument {name}", value) for name, value in kwargs.items())


def _unsendable(value: Any) -> str:
    """
    Say what in a value cannot be pickled, and what to do; "" if all can.
    """
    culprit = find_culprit(value)
    if culprit is None:
        return ""
    is_file = culprit.kind in FILES
    advice = "Open" if is_file else "Make"
    advice += " it in the function, or in the initializer of the pool"
    if not is_file:
        advice += "; or share it, %share NAME, and pass shared.NAME"
    return f"to a worker, because {culprit}. {advice}."
