"""
What an operation is: something that is run under the stepper, and judged afterwards.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .steps import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.workers import Worker

    from .bench import Bench, Kit
    from .endings import Ending
    from .steps import Step

#: Between the end of a block and the call of C code that releases its lock.
LOCK_EXIT = frozenset({"LOAD_CONST None", "PRECALL", "CALL", "SWAP"})
#: The functions that do nothing after they have their answer but return it.
ON_THE_WAY = {
    "_accept",
    "_call",
    "_exchange",
    "__call__",
    "execute",
    "method",
    "request",
}


class Operation:
    """
    One kind of operation. Subclasses say what it does and what is right.

    `prepare`, `expected` and `check` run where the objects are; `before`, `run`,
    `finish` and `after` in the worker. Only `run` is traced.

    Attributes:
        large: It has many steps, so that a run covers a part of them.
        folder: The code whose steps count.
        fresh_thread: It runs in a thread that was not there before.
        lock: The lock of `Kit` that it takes.
        applies: The desk notes its tag.
        takes: Its last act is to say that what it was given has arrived.
        in_owner: The worker owns the objects itself, and others call them.
    """

    large = False
    folder: Path = PACKAGE
    fresh_thread = False
    lock: str | None = None
    applies = False
    takes = False
    in_owner = False

    def is_over(self, step: Step) -> bool:
        """
        Tell whether the call has ended before a step, but for returning.

        An exception there is one that comes after the call, as one may come after any
        call. Python runs no signal handler between the last store and the code of the
        user, and none between the end of a ``with`` of a lock and its release.
        """
        returns = step.instruction.startswith("RETURN_VALUE") and (
            step.function in ON_THE_WAY
        )
        acknowledged = step.function == "_accept" and (
            step.previous.startswith("STORE_SUBSCR")
        )
        if self.takes and not step.signals and (returns or acknowledged):
            return True
        # Nothing in Python can leave a lock before it is told to.
        leaves_lock = step.source.startswith("with ") and "lock" in step.source
        return leaves_lock and not step.signals and step.instruction in LOCK_EXIT

    @property
    def name(self) -> str:
        """
        What it is called in reports.
        """
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).lower()

    def make_kit(self, bench: Bench) -> Kit:
        """
        Give what the worker works with; called in the worker.
        """
        return bench.kit

    def prepare(self, bench: Bench, tag: str) -> Any:
        """
        Give what `run` is given, after making ready what it needs.
        """

    def before(self, kit: Kit, tag: str) -> None:
        """
        Make the worker ready.
        """

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        """
        Do it, and give what it gives; `got` takes what arrives on the way.
        """
        raise NotImplementedError

    def expected(self, tag: str, given: Any) -> Any:
        """
        Give what `run` has to return.
        """
        return tag

    def finish(self, kit: Kit, tag: str, got: list[Any]) -> None:
        """
        Do what a user does after `run` has returned.
        """

    def after(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> None:
        """
        Do what a user does after an interrupt. What it raises is a fault.
        """

    def check(
        self, bench: Bench, rival: Worker, given: Any, ending: Ending
    ) -> Iterator[str]:
        """
        Say what is wrong with the objects afterwards.
        """
        yield from ()
