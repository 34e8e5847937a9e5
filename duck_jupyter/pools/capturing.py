"""
The feature that keeps the data of tasks as it was when they were submitted.
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
    from collections.abc import Sequence

    from .tasks import Task

__all__ = ["Capturing", "capture_while"]


class Capturing(Feature):
    """
    Holds the state of shared arguments of a task when it is submitted.
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
        Release the holds of a task that has ended or was cancelled.
        """
        if task.held and hasattr(result, "add_done_callback"):
            result.add_done_callback(partial(_release, task.held))

    def before_put(self, value: Any) -> Any:
        """
        Hold what is put into a queue.
        """
        return held(value)[0] if handover.has_objects else value


def _release(holds: Sequence[Any], future: Any) -> None:
    for hold in holds:
        hold.release()


def held(value: Any) -> tuple[Any, list[Any]]:
    """
    Return a value with holds of the present state of shared objects, and the holds.

    Raises:
        VersionsAwaited: Too many states are kept, and no worker can fetch them.
        ProxyError: A shared object cannot be published.
    """
    return wait_for_workers(lambda: _capture(value))


def _capture(value: Any) -> tuple[Any, list[Any]]:
    capture = handover.capture()
    return capture(value), capture.held


def capture_while(has_objects: bool) -> None:
    """
    Hold the arguments of pools while anything is shared, also without a notebook.
    """
    if has_objects:
        features.add(Capturing())
        patches.open()
    else:
        features.discard(Capturing)
        if not features.all:
            patches.close()
