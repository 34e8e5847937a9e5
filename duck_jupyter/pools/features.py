"""
Features: what is done when a pool is made, a task is submitted, a worker starts.

`patches` is the only module that changes a pool's class. It calls the features that are
in `features`, in their order, so that no feature patches over another one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .tasks import Task

    #: Something to call in a worker, and with what; both are pickled.
    Call = tuple[Callable[..., object], tuple[Any, ...]]

__all__ = ["Feature", "Features", "features"]


class Feature:
    """
    One thing that pools do for a notebook. All methods run in the notebook's process.
    """

    def open(self) -> None:
        """
        Begin; called when the feature is added.
        """

    def close(self) -> None:
        """
        End, and leave everything as it was.
        """

    def pool_made(self, pool: Any) -> None:
        """
        Note a pool. Only a `multiprocessing.Pool` has its workers already.
        """

    def worker_start(self, pool: Any) -> Call | None:
        """
        Give what each worker of a pool calls when it starts.

        It is called before the user's own initializer, and pickled for each worker. It
        may add to `worker.features`. For a `multiprocessing.Pool` the pool is not made
        yet, and has no attributes.
        """
        return None

    def before_submit(self, task: Task) -> None:
        """
        Change what is submitted: the task's function, arguments and notes.

        Runs in the thread that submits, before the pool has the task. What it raises is
        raised there.
        """

    def before_put(self, value: Any) -> Any:
        """
        Give what is put into a queue of multiprocessing in place of a value.
        """
        return value

    def after_submit(self, task: Task, result: Any) -> None:
        """
        Note what the pool gave for a task: a future, an `AsyncResult`, an iterator.
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
    The features that are in force in this process. In a forked child there are none.
    """

    def __init__(self) -> None:
        #: Replaced as a whole, so that who goes through it needs no lock.
        self.all: tuple[Feature, ...] = ()

    def add(self, feature: Feature) -> None:
        """
        Begin with a feature; one whose class is there already is not added.
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
        End all, the last one first. Twice is fine.
        """
        for feature in reversed(self.all):
            self.discard(type(feature))

    def worker_starts(self, pool: Any) -> list[Call]:
        """
        List what a worker of a pool calls when it starts.
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
        In a child, leave to the parent what is the parent's.
        """
        self.all = ()


#: Those of this process.
features: Features = Features()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=features.after_fork)
