"""
Locking: an Interrupt leaves no lock taken for ever.

``with`` of a lock that is written in Python has two steps: ``__enter__`` takes the
lock, then the block begins. An exception between them leaves the lock taken, and the
threads and workers of a pool wait for it. ``__exit__`` has such a place as well, and so
has ``Condition.wait``, which takes the lock again at its end. Locks written in C have
no such place. See
https://docs.python.org/3/library/signal.html#handlers-and-exceptions.

So the exception is raised at the next instruction of the code that uses the lock: there
``with`` releases it.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

__all__ = ["Postponed"]

#: Frames from where a signal comes to a handler that has called them, at most.
MOST_FRAMES = 20
#: Seconds after which code that is still at a lock waits for it, and has not taken it.
WAITS_S = 0.08
MODULES = {
    "concurrent.futures._base",
    "joblib.externals.loky.backend.synchronize",
    "loky.backend.synchronize",
    "multiprocessing.synchronize",
    "threading",
}
FUNCTIONS = {"__enter__", "__exit__", "_acquire_restore"}


class Postponed:
    """
    Handles a signal a little later where it comes while a lock is taken or released.

    Where a debugger traces the thread, signals are handled at once.

    Args:
        handle: The handler; it may raise an exception.
    """

    def __init__(self, handle: Callable[[int, FrameType | None], object]) -> None:
        self._handle = handle
        self._codes = {_code_of(handle), _code_of(self._trace)}
        # The frame whose next instruction handles the signal, if there is a signal.
        self._frame: FrameType | None = None
        self._since = 0.0

    def is_nested(self, frame: FrameType | None) -> bool:
        """
        Tell the handler whether it interrupts itself; then it must do nothing.

        An exception would go to the code that the first signal has interrupted.

        Args:
            frame: The frame that the handler was given.
        """
        for _ in range(MOST_FRAMES):
            if frame is None:
                return False
            if frame.f_code in self._codes:
                return True
            frame = frame.f_back
        return False

    def postpones(self, frame: FrameType | None) -> bool:
        """
        Tell the handler whether it will be called again, and must do nothing now.

        The signal has to be sent once more if nothing is raised: code that waits for a
        lock is interrupted by the second one.

        Args:
            frame: The frame that the handler was given.
        """
        now = time.monotonic()
        if self._frame is not None:
            if _is_locking(frame) and now < self._since + WAITS_S:
                return True
            self.cancel()
            return False
        caller = frame
        while _is_locking(caller):
            caller = caller and caller.f_back
        if caller is None or caller is frame or sys.gettrace() is not None:
            return False
        self._frame, self._since = caller, now
        caller.f_trace, caller.f_trace_opcodes = self._trace, True
        sys.settrace(_trace_nothing)
        return True

    def cancel(self) -> None:
        """
        Forget the signal, if there is one.
        """
        if self._frame is not None:
            sys.settrace(None)
            self._frame.f_trace, self._frame.f_trace_opcodes = None, False
            self._frame = None

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        if event != "opcode":
            return self._trace
        self.cancel()
        self._handle(signal.SIGINT, frame)
        return None


def _trace_nothing(frame: FrameType, event: str, arg: object) -> None:
    """
    Be the trace function of a thread, without which those of frames are not called.
    """


def _code_of(method: Any) -> CodeType:
    code: CodeType = method.__func__.__code__
    return code


def _is_locking(frame: FrameType | None) -> bool:
    return (
        frame is not None
        and frame.f_code.co_name in FUNCTIONS
        and frame.f_globals.get("__name__") in MODULES
    )
