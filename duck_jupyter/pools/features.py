"""
Features: the calls when a pool is made, a task is submitted, or a worker starts.

Only the module `patches` changes the classes of pools. It calls the features in
`features` in their order, so no feature patches another one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .tasks import Task

    #: A function to call in a worker, and its arguments; both are pickled.
    Call = tuple[Callable[..., object], tuple[Any, ...]]

__all__ = ["Feature", "Features", "features"]


class Feature:
    """
    One feature of pools. All methods run in the notebook's process.
    """

    def open(self) -> None:
        """
        Start the feature; called when it is added.
        """

    def close(self) -> None:
        """
        End the feature, and restore everything that it changed.
        """

    def pool_made(self, pool: Any) -> None:
        """
        Note a new pool. Only a `multiprocessing.Pool` already has workers.
        """

    def worker_start(self, pool: Any) -> Call | None:
        """
        Return the functions that each worker of a pool calls when it starts.

        It is called before the user's own initializer, and pickled for each worker. It
        may add to `worker.features`. For a `multiprocessing.Pool` the pool is not made
        yet, and has no attributes.
        """
        return None

    def before_submit(self, task: Task) -> None:
        """
        Change the submitted task: its function, arguments and notes.

        It runs in the thread that submits, before the pool has the task. Its errors are
        raised there.
        """

    def before_put(self, value: Any) -> Any:
        """
        Return a replacement of a value that is put into a queue of multiprocessing.
        """
        return value

    def after_submit(self, task: Task, result: Any) -> None:
        """
        Note the result object of a task: a future, an `AsyncResult` or an iterator.
        """

    def submit_waits(self) -> None:
        """
        Note that a line that submits waits until earlier data is released.
        """

    def cell_begins(self) -> None:
        """
        Note that a cell begins. Runs in the thread and the context of the cell.
        """

    def cell_ends(self, error: BaseException | None) -> None:
        """
        Note that a cell has ended, or failed with an error.
        """

    def kernel_ends(self) -> None:
        """
        Note that the kernel is about to end.
        """


class Features:
    """
    The features of this process. A forked child has none.
    """

    def __init__(self) -> None:
        #: It is replaced as a whole, so reading it needs no lock.
        self.all: tuple[Feature, ...] = ()

    def add(self, feature: Feature) -> None:
        """
        Add a feature, unless there is one of its class.
        """
        if any(type(known) is type(feature) for known in self.all):
            return
        feature.open()
        self.all = (*self.all, feature)

    def discard(self, kind: type[Feature]) -> None:
        """
        End the feature of a class, if there is one.
        """
        for feature in self.all:
            if type(feature) is kind:
                self.all = tuple(known for known in self.all if known is not feature)
                feature.close()

    def close(self) -> None:
        """
        End all features, the last one first. Repeated calls do nothing.
        """
        for feature in reversed(self.all):
            self.discard(type(feature))

    def worker_starts(self, pool: Any) -> list[Call]:
        """
        Return what a worker of a pool calls when it starts.
        """
        calls = [feature.worker_start(pool) for feature in self.all]
        return [call for call in calls if call is not None]

    def cell_begins(self) -> None:
        """
        Tell all that a cell begins.
        """
        for feature in self.all:
            feature.cell_begins()

    def cell_ends(self, error: BaseException | None) -> None:
        """
        Tell all that a cell has ended, the last one first.
        """
        for feature in reversed(self.all):
            feature.cell_ends(error)

    def kernel_ends(self) -> None:
        """
        Tell all that the kernel is about to end.
        """
        for feature in self.all:
            feature.kernel_ends()

    def after_fork(self) -> None:
        """
        In a forked child, drop the features: they belong to the parent.
        """
        self.all = ()


#: Those of this process.
features: Features = Features()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=features.after_fork)
