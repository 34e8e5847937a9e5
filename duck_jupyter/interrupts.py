"""
Exceptions that a signal handler of the user's raised inside our code.

They are meant for the code of the user, so nobody here takes them for errors of what it
was doing, and wraps them.
"""

from __future__ import annotations

import functools
import signal
from typing import Any

__all__ = ["is_of_signal_handler"]


def is_of_signal_handler(error: BaseException) -> bool:
    """
    Tell whether an exception came out of a signal handler.

    Args:
        error: An exception that was caught.
    """
    codes = set()
    trace = error.__traceback__
    while trace is not None:
        codes.add(trace.tb_frame.f_code)
        trace = trace.tb_next
    return any(
        _code_of(signal.getsignal(number)) in codes for number in signal.valid_signals()
    )


def _code_of(handler: Any) -> Any:
    """
    Give the code that runs when a handler is called; None where it is not Python's.
    """
    while isinstance(handler, functools.partial):
        handler = handler.func
    function = getattr(handler, "__func__", handler)
    if not hasattr(function, "__code__"):
        function = vars(type(handler)).get("__call__")
    return getattr(function, "__code__", None)
