"""
DroppedInterrupts: an Interrupt is sent again where Python drops its exception.

Python prints and drops what is raised in a destructor, and in what is called when a
weak reference dies. In those that are known, the exception is put off, so that they do
their work. ``sys.unraisablehook`` tells of the others, some of which are not written in
Python: pyzmq, for example, handles signals where it frees a message.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

__all__ = ["DroppedInterrupts"]

#: How often an Interrupt is put off, one time after the other.
MOST_PUT_OFF = 100
#: The modules and functions that Python calls where something is collected.
COLLECTORS = {
    "_weakrefset": {"_remove"},
    "weakref": {"_remove", "remove", "__call__"},
    "multiprocessing.util": {"__call__"},
    __name__: {"_on_unraisable"},
}


class DroppedInterrupts:
    """
    Notices Interrupts whose exception is dropped, or would be.

    Args:
        handler: The code of the handler of SIGINT that raises the exceptions.
        send_again: Lets another thread send the signal a little later.
    """

    def __init__(self, handler: CodeType, send_again: Callable[[], None]) -> None:
        self._handler = handler
        self._send_again = send_again
        self._put_off = 0
        # What is called for other exceptions that are dropped.
        self._before: Callable[[Any], object] | None = None

    def open(self) -> None:
        """
        Notice from now on.
        """
        self._before = sys.unraisablehook
        sys.unraisablehook = self._on_unraisable

    def close(self) -> None:
        """
        Notice nothing more; again is fine.
        """
        # Compared with ==: each access makes a new bound method.
        if self._before is not None and sys.unraisablehook == self._on_unraisable:
            sys.unraisablehook = self._before
        self._before = None

    def puts_off(self, frame: FrameType | None) -> bool:
        """
        Tell whether an exception would be dropped in a frame; then it comes again.
        """
        is_put_off = (
            self._before is not None
            and self._put_off < MOST_PUT_OFF
            and _is_collecting(frame)
        )
        self._put_off = self._put_off + 1 if is_put_off else 0
        if is_put_off:
            self._send_again()
        return is_put_off

    def _on_unraisable(self, args: Any) -> None:
        frames = traceback.walk_tb(args.exc_traceback)
        if isinstance(args.exc_value, KeyboardInterrupt) and any(
            frame.f_code is self._handler for frame, _ in frames
        ):
            self._send_again()
        else:
            (self._before or sys.__unraisablehook__)(args)


def _is_collecting(frame: FrameType | None) -> bool:
    while frame is not None:
        name = frame.f_code.co_name
        if name == "__del__" or name in COLLECTORS.get(
            frame.f_globals.get("__name__", ""), ()
        ):
            return True
        frame = frame.f_back
    return False
