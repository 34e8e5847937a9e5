"""
From an exception to bytes and back: itself if it can be rebuilt, always its text.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Decoder, Ext

from ..errors import DataDecodeError, ProxyError, RemoteError, RemoteTraceback
from .exceptions import reduce_by_value, set_cause
from .tracebacks import describe
from .values import dumps, encode, loads

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FAULT",
    "pack_fault",
    "parse_fault",
    "short_fault",
]

#: The extension code of a fault.
FAULT = 4

_decode = Decoder().decode


def pack_fault(error: BaseException, hook: Callable[[Any], Any], text: str) -> Ext:
    """
    Encode an exception as an extension of a payload.

    Args:
        error: The exception.
        hook: As for `values.dumps`; it is not called for exceptions.
        text: Its traceback.
    """

    def reduced(value: Any) -> Any:
        is_error = issubclass(type(value), BaseException)
        return reduce_by_value(value) if is_error else hook(value)

    try:
        pickled = dumps(error, reduced)
    except BaseException:  # __reduce__ may run any code of the user
        pickled = None
    safe_text = text.encode(errors="backslashreplace").decode()
    line = describe(error).encode(errors="backslashreplace").decode()
    return Ext(FAULT, encode([pickled, line, safe_text]))


def short_fault(line: str) -> Ext:
    """
    Return a fault that has only one line of text.
    """
    return Ext(FAULT, encode([None, line, ""]))


def parse_fault(data: memoryview | bytes) -> BaseException:
    """
    Rebuild the exception of the other side, with its traceback as the first cause.

    Returns:
        The exception, or a `RemoteError` if it cannot be rebuilt here.
    """
    pickled, line, text = _decode(data)
    found: Any = None
    if pickled is not None:
        with contextlib.suppress(DataDecodeError):
            found = loads(memoryview(pickled))
    error: BaseException
    if isinstance(found, BaseException):
        error = found
    else:
        error = RemoteError(
            f"{line}\n(This exception cannot be rebuilt in this process; its traceback "
            "in the kernel is the cause below.)"
        )
    set_cause(_first_of_causes(error), RemoteTraceback(text))
    return error


def _first_of_causes(error: BaseException) -> BaseException:
    """
    Return the first exception without a cause, except a remote traceback from before.

    The search stops at a `ProxyError`, whose message names its cause.
    """
    seen: set[int] = set()
    while id(error) not in seen and not isinstance(error, ProxyError):
        seen.add(id(error))
        cause = error.__cause__
        if cause is None or isinstance(cause, RemoteTraceback):
            break
        error = cause
    return error
