"""
The data of the moment of submitting: the feature that holds what is passed to a pool.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..data.handover import handover
from .features import Feature, features
from .patches import patches
from .tasks import change_batch
from .waiting import wait_for_workers

if TYPE_CHECKING:
    from .tasks import Task

__all__ = ["Capturing", "capture_while"]


class Capturing(Feature):
    """
    Holds the shared objects among the arguments of a task as they are at submit.
    """

    def before_submit(self, task: Task) -> None:
        """
        Hold the shared arguments.
        """
        if not handover.has_objects:
            return
        task.args, task.held = held(task.args)
        if task.kwargs:
            task.kwargs, more = held(task.kwargs)
            task.held = [*task.held, *more]

        def hold_call(call: Any) -> Any:
            changed, more = held(call)
            task.held = [*task.held, *more]
            return changed

        task.function = change_batch(task.function, hold_call)

    def after_submit(self, task: Task, result: Any) -> None:
        """
        Hold nothing for a task that has ended, also where it was cancelled.
        """
        if task.held and hasattr(result, "add_done_callback"):
            result.add_done_callback(partial(_release, task.held))

    def before_put(self, value: Any) -> Any:
        """
        Hold what is put into a queue.
        """
        return held(value)[0] if handover.has_objects else value


def _release(holds: list[Any], future: Any) -> None:
    for hold in holds:
        hold.release()


def held(value: Any) -> tuple[Any, list[Any]]:
    """
    Give a value in which shared objects are held as they are now, and the holds.

    Raises:
        VersionsAwaited: There are too many, and no worker runs that could fetch them.
        ProxyError: A shared object cannot be published.
    """
    return wait_for_workers(lambda: _capture(value))


def _capture(value: Any) -> tuple[Any, list[Any]]:
    capture = handover.capture()
    return capture(value), capture.held


def capture_while(has_objects: bool) -> None:
    """
    Hold what is passed to pools while anything is shared, also without a notebook.
    """
    if has_objects:
        features.add(Capturing())
        patches.open()
    else:
        features.discard(Capturing)
        if not features.all:
            patches.close()
