"""
Requests and answers as bytes: the one module that encodes them.

::

    request  msgpack([opcode, payload])
                GET      [number, name]
                SET      [number, name, value]
                EXECUTE  [number, name, arguments, keyword arguments]
    answer   msgpack([EXECUTION_RESULT, [number, value, fault]])

The number is that of an object. A value of a type that msgpack does not have is an
extension: see `values`, `references` and `faults`. An answer has a value or a fault.
Large buffers are sent outside the frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Encoder

from .opcodes import ProxyOpCode
from .values import wrap_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgspec.msgpack import Ext

__all__ = [
    "FAULTED",
    "RESULT",
    "encode_answer",
    "encode_fault",
    "encode_frame",
    "encode_request",
]

RESULT = int(ProxyOpCode.EXECUTION_RESULT)


class _NoBuffers(tuple[Any, ...]):
    """
    The buffers of an answer that has none, and is true all the same.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


#: The buffers of an answer that is an error. As they are true, the server writes it on
#: the path of answers with buffers, and the hot path has nothing to ask.
FAULTED: Sequence[Any] = _NoBuffers()

#: Encodes a frame whose values msgpack has types for: ``(opcode, payload)``. Hot paths
#: call it directly, which saves one Python call.
encode_frame: Callable[[Any], bytes] = Encoder().encode


def encode_request(
    opcode: int,
    payload: Sequence[Any],
    hook: Callable[[Any], Any],
    buffers: list[Any] | None = None,
) -> bytes:
    """
    Encode a request with any values.

    Args:
        opcode: The opcode of the request.
        payload: The payload of the request.
        hook: As for `values.dumps`.
        buffers: As for `values.dumps`.

    Raises:
        DataEncodeError: A value cannot be pickled.
    """
    return encode_frame((opcode, wrap_payload(payload, hook, buffers)))


def encode_answer(idx: int, value: Any) -> bytes:
    """
    Encode the answer of a call.

    Args:
        idx: The number of its object.
        value: A value that msgpack has a type for, or an extension.
    """
    return encode_frame((RESULT, (idx, value, None)))


def encode_fault(idx: int, fault: Ext) -> bytes:
    """
    Encode the answer of a call that raised.

    Args:
        idx: The number of its object.
        fault: The exception.
    """
    return encode_frame((RESULT, (idx, None, fault)))
