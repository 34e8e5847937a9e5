"""
Shield: an Interrupt waits while the main thread is in the midst of a pool's own code.

A KeyboardInterrupt in the midst of ``submit`` may leave a task that is noted and not
queued, for whose end the pool then waits for ever.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

__all__ = ["Shield", "shield"]


class Shield:
    """
    A context manager that puts the first Interrupt off until its end.

    Only the main thread gets signals, and only there it does something. The second
    Interrupt is not put off.

    Attributes:
        depth: How many times the main thread has entered it.
        was_interrupted: Whether an Interrupt was put off.
        is_ending: Whether a cell has ended, and its end is being noted.
        at_end: Called when the end has been noted.
        hurries: Whether an Interrupt came then, after which nobody waits any more. Not
            an event, whose lock the handler might find taken.
    """

    def __init__(self) -> None:
        self.depth: int = 0
        self.was_interrupted: bool = False
        self.is_ending: bool = False
        self.hurries: bool = False
        self.at_end: list[Callable[[], object]] = []

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        """
        Note the end of a cell: an Interrupt has nothing to raise in.
        """
        if threading.current_thread() is not threading.main_thread():
            # Of a subshell of ipykernel, which is not interrupted.
            yield
            return
        self.hurries = False
        self.is_ending = True
        try:
            yield
        finally:
            # Last, what gives the handler of SIGINT back.
            while self.at_end:
                self.at_end.pop()()
            self.is_ending = False

    def holds_back(self) -> bool:
        """
        Tell the handler of SIGINT whether to put it off.
        """
        if not self.depth or self.was_interrupted:
            return False
        self.was_interrupted = True
        return True

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            self.depth -= 1
            if not self.depth and self.was_interrupted:
                self.was_interrupted = False
                signal.raise_signal(signal.SIGINT)


#: That of this process.
shield: Shield = Shield()
