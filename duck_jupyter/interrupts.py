"""
Exceptions that a signal handler of the user raised while our code ran.

These exceptions are meant for the user's code. Our code never treats them as errors of
its own operation, and never wraps them.
"""

from __future__ import annotations

import functools
import signal
from typing import Any

__all__ = ["is_of_signal_handler"]


def is_of_signal_handler(error: BaseException) -> bool:
    """
    Return whether a signal handler raised an exception.

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
    Return the code object of a handler, or None if it is not a Python function.
    """
    while isinstance(handler, functools.partial):
        handler = handler.func
    function = getattr(handler, "__func__", handler)
    if not hasattr(function, "__code__"):
        function = vars(type(handler)).get("__call__")
    return getattr(function, "__code__", None)
