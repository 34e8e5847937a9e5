"""
Requests and answers as bytes: the one place where they are encoded.

::

    request  msgpack([opcode, payload])
                GET      [number, name]
                SET      [number, name, value]
                EXECUTE  [number, name, arguments, keyword arguments]
    answer   msgpack([EXECUTION_RESULT, [number, value, fault]])

The number is that of an object. A value that msgpack has no type for is an extension:
see `values`, `references` and `faults`. An answer has a value or a
fault. Large buffers lie beside the frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Encoder

from .opcodes import ProxyOpCode
from .values import wrap_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgspec.msgpack import Ext

__all__ = ["RESULT", "encode_answer", "encode_fault", "encode_frame", "encode_request"]

RESULT = int(ProxyOpCode.EXECUTION_RESULT)

#: Encodes a frame whose values msgpack knows: ``(opcode, payload)``. Hot paths call it
#: themselves, which saves a call of Python.
encode_frame = Encoder().encode


def encode_request(
    opcode: int,
    payload: Sequence[Any],
    hook: Callable[[Any], Any],
    buffers: list[Any] | None = None,
) -> bytes:
    """
    Encode a request of any values.

    Args:
        opcode: What is asked.
        payload: What belongs to it.
        hook: As `values.dumps` takes it.
        buffers: As `values.dumps` takes it.

    Raises:
        DataEncodeError: A value cannot be pickled.
    """
    return encode_frame((opcode, wrap_payload(payload, hook, buffers)))


def encode_answer(idx: int, value: Any) -> bytes:
    """
    Encode the answer of a call.

    Args:
        idx: The number of its object.
        value: A value that msgpack knows, or an extension.
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
