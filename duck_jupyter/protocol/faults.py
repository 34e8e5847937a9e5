"""
An exception <-> bytes: the exception itself where it can be rebuilt, always its text.
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

#: Extension code of a fault.
FAULT = 4

_decode = Decoder().decode


def pack_fault(error: BaseException, hook: Callable[[Any], Any], text: str) -> Ext:
    """
    Turn an exception into what stands for it in a payload.

    Args:
        error: The exception.
        hook: As for `values.dumps`; it is not asked about exceptions.
        text: Its traceback.
    """

    def reduced(value: Any) -> Any:
        is_error = issubclass(type(value), BaseException)
        return reduce_by_value(value) if is_error else hook(value)

    try:
        pickled = dumps(error, reduced)
    except BaseException:  # any code of the user's may run in __reduce__
        pickled = None
    safe_text = text.encode(errors="backslashreplace").decode()
    line = describe(error).encode(errors="backslashreplace").decode()
    return Ext(FAULT, encode([pickled, line, safe_text]))


def short_fault(line: str) -> Ext:
    """
    Give an error of one line, and nothing else.
    """
    return Ext(FAULT, encode([None, line, ""]))


def parse_fault(data: memoryview | bytes) -> BaseException:
    """
    Rebuild the exception of the other side, its traceback as the first cause.

    Returns:
        The exception, or a `RemoteError` where it cannot be rebuilt here.
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
    Give what has no cause but a remote traceback, which an earlier journey left.

    An error of ours says itself what its cause was.
    """
    seen: set[int] = set()
    while id(error) not in seen and not isinstance(error, ProxyError):
        seen.add(id(error))
        cause = error.__cause__
        if cause is None or isinstance(cause, RemoteTraceback):
            break
        error = cause
    return error
