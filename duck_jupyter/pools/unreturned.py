"""
Results that a worker cannot pickle: the error of the task says what, and what to do.

A pool pickles a result after the task. If that fails, it sends an object of its own in
place of the result, and ``copyreg`` has our way to pickle this object. So a result that
can be sent costs nothing.

This uses the classes of `CARRIERS`, and variables of ``worker`` of multiprocessing.pool
and of ``_sendback_result`` and ``_process_worker`` of executors. They are the same in
CPython 3.10 to 3.14 and in loky.
"""

from __future__ import annotations

import contextlib
import copyreg
import sys
from typing import TYPE_CHECKING, Any

from .failing import Link, call_of, sendable, where
from .worker import Running
from .worker_loop import find_in_loop

if TYPE_CHECKING:
    from .culprits import Culprit

__all__ = ["add_unreturned", "rebuild_text"]

#: By module, the class of what a pool sends in place of a result.
CARRIERS = {
    "multiprocessing.pool": "MaybeEncodingError",
    "concurrent.futures.process": "_ExceptionWithTraceback",
    "loky.process_executor": "_ExceptionWithTraceback",
    "joblib.externals.loky.process_executor": "_ExceptionWithTraceback",
}
#: Of an error whose frames are the pool's own.
NO_FRAMES = Link(None, [], True, None, None)


def add_unreturned() -> None:
    """
    Let this worker say which result it cannot send.
    """
    for name, carrier in CARRIERS.items():
        kind = getattr(sys.modules.get(name), carrier, None)
        if kind is not None:
            copyreg.pickle(kind, _reduce)


def rebuild_text(
    kind: Any, args: tuple[Any, ...], state: dict[str, Any], place: str
) -> BaseException:
    """
    Return, in the notebook, the error of a `multiprocessing.Pool`.
    """
    from .tracebacks import rebuild

    error: BaseException = kind(*args)
    error.__dict__.update(state)
    return rebuild(error, NO_FRAMES, place)


def _reduce(carrier: Any) -> Any:
    """
    Reduce what a pool sends in place of a result.
    """
    task, results = _find_task()
    if task is None or not results:
        # In place of an error.
        return carrier.__reduce_ex__(2)
    is_text = isinstance(carrier, Exception)
    error = carrier if is_text else carrier.exc
    item: int | None = None
    # An error here would end the worker; the result may be of any class.
    with contextlib.suppress(Exception):
        item, note = _explain(task, results[0])
        error.__notes__ = [*getattr(error, "__notes__", []), note]
    if is_text:
        kind, args, *state = carrier.__reduce_ex__(2)
        return rebuild_text, (kind, args, *state, where(task, item))
    from .tracebacks import rebuild

    return rebuild, (sendable(error), NO_FRAMES, where(task, item))


def _find_task() -> tuple[Running | None, list[Any]]:
    """
    Find the task that has just ended, and its result, if it has one.
    """
    call = find_in_loop({"worker": "func", "_process_worker": "call_item"})
    is_executor = hasattr(call, "fn")
    task = call.fn if is_executor else call
    if not isinstance(task, Running):
        return None, []
    if is_executor:
        is_result = find_in_loop({"_sendback_result": "exception"}) is None
        result = find_in_loop({"_sendback_result": "result"})
    else:
        is_result, result = find_in_loop({"worker": "result"})
    return task, [result] if is_result else []


def _explain(task: Running, result: Any) -> tuple[int | None, str]:
    """
    Say which item of a chunk has the result, and why it cannot be sent.

    Raises:
        StopIteration: It can be sent now.
    """
    from .culprits import find_culprit

    name = getattr(getattr(task.function, "func", None), "__name__", "")
    is_chunk = name in ("walk", "walk_chunk")
    item, culprit = next(
        (number if is_chunk else None, found)
        for number, one in enumerate(result if is_chunk else [result])
        if (found := find_culprit(one)) is not None
    )
    return item, (
        f"The result of {call_of(task, item)} cannot be sent to the notebook, because "
        f"{culprit}. {_advice(culprit)}"
    )


def _advice(culprit: Culprit) -> str:
    from .members import FILES, LOCKS

    if culprit.is_code:
        return "Define it in a cell, or in a module."
    if culprit.kind in LOCKS and culprit.is_whole:
        return (
            "Make it in the notebook, share it, %share NAME, and use shared.NAME in "
            "the task."
        )
    if culprit.kind in FILES:
        return "Return its name or what it contains, and open it in the notebook."
    return (
        "Return what it is made of, and make it in the notebook; or keep it in a "
        "global of the worker, for the next tasks there."
    )
