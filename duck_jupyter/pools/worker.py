"""
The code that a worker calls: its initializer, and tasks submitted as `Task`.

It imports only the standard library, because each worker that runs a function of a cell
loads this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .mirror import mirror

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Running", "Start", "WorkerFeature", "add", "features", "is_in_task"]


class WorkerFeature:
    """
    One feature in a worker. Its methods run around each task.
    """

    def start_begins(self) -> None:
        """
        Note that the user's own initializer begins.
        """

    def start_ends(self) -> None:
        """
        Note that the user's own initializer has ended well.
        """

    def task_begins(self, task: Running) -> None:
        """
        Note that a task begins. An error raised here is the task's error.
        """

    def task_failed(self, task: Running, error: BaseException) -> BaseException:
        """
        Return the error of a failed task: the same one or another.
        """
        return error

    def task_ends(self, task: Running) -> None:
        """
        Note that a task has ended, with or without an error.
        """

    def has_started(self) -> None:
        """
        Note that the worker has started, and waits for tasks.
        """

    def task_refused(self, task: Running, error: BaseException) -> None:
        """
        Note that a task fails before it begins.
        """

    def task_cut(self, task: Running, error: BaseException) -> BaseException:
        """
        Return the error of a task that a KeyboardInterrupt cut short at its very end.

        `task_failed` and `task_ends` may have run completely, in part or not at all.
        """
        return error


#: The features of this worker, in their order.
features: list[WorkerFeature] = []


#: The number of tasks that run in this process, one inside another.
_running = 0


def is_in_task() -> bool:
    """
    Return whether this process runs a task.
    """
    return _running > 0


def add(feature: WorkerFeature) -> None:
    """
    Add a feature, unless there is one of its class.
    """
    if not any(type(known) is type(feature) for known in features):
        features.append(feature)


class Start:
    """
    The initializer of every worker, around the user's own.

    Args:
        initializer: The user's own, or None.
        calls: Functions to call before it, with their arguments.
    """

    def __init__(
        self,
        initializer: Callable[..., object] | None,
        calls: Sequence[tuple[Callable[..., object], tuple[Any, ...]]],
    ) -> None:
        self.initializer = initializer
        self.calls = calls

    def __call__(self, *args: Any) -> None:
        """
        Start the worker.
        """
        for call, its in self.calls:
            call(*its)
        if self.initializer is not None:
            for feature in features:
                feature.start_begins()
            self.initializer(*args)
            for feature in features:
                feature.start_ends()
        for feature in features:
            feature.has_started()


class Running:
    """
    A task in a worker.

    Args:
        function: The function that the pool would have called.
        id: The number of the `Task` in the notebook.
        notes: Data from the features of the notebook for those of the worker.
    """

    __slots__ = ("args", "function", "id", "kwargs", "notes")

    def __init__(self, function: Any, id: int, notes: dict[str, Any]) -> None:  # noqa: A002
        self.function: Any = function
        self.id: int = id
        self.notes: dict[str, Any] = notes

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """
        Run the task.
        """
        try:
            return self._run(args, kwargs)
        except KeyboardInterrupt as error:
            failed: BaseException = error
            for feature in features:
                failed = feature.task_cut(self, failed)
            if failed is error:
                raise
            raise failed from None

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        global _running
        if mirror.failures:
            failures, mirror.failures = mirror.failures, []
            for feature in features:
                feature.task_refused(self, failures[0])
            raise failures[0]
        self.args: tuple[Any, ...] = args
        self.kwargs: dict[str, Any] = kwargs
        _running += 1
        try:
            for feature in features:
                feature.task_begins(self)
            return self.function(*args, **kwargs)
        except BaseException as error:
            # Its class may belong to the notebook.
            mirror.begin()
            failed: BaseException = error
            for feature in features:
                failed = feature.task_failed(self, failed)
            if failed is error:
                raise
            raise failed from None
        finally:
            _running -= 1
            for feature in features:
                feature.task_ends(self)
