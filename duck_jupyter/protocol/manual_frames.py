"""
Manual frames, and the layout of a frame in a buffer.

======  ==================  =================================================
offset  size in bytes       what
======  ==================  =================================================
0       4                   size of the payload, unsigned, big-endian
4       size                ``msgpack([opcode, payload])``
======  ==================  =================================================
"""

from __future__ import annotations

import struct
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import DataDecodeError, DataEncodeError, DataTooBigError, EmptyData
from .faults import FAULT, parse_fault
from .frames import encode_frame
from .values import (
    PICKLED,
    PICKLED_WITH_BUFFERS,
    load_extension,
    reduce_main_only,
    wrap_payload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["SIZE_PREFIX_BYTES", "Frame", "parse_from", "write_into"]

SIZE_PREFIX_BYTES = 4
SIZE_PREFIX = struct.Struct(">I")
RETRY_S = 0.0005


class PlainCodec:
    """
    The codec for frames that hold plain values, and no references.
    """

    def __init__(self) -> None:
        self.decode: Callable[[bytes], Any] = msgspec.msgpack.Decoder(
            ext_hook=self._extension
        ).decode

    def encode(self, opcode: int, payload: Sequence[Any]) -> bytes:
        """
        Encode an opcode and its payload.
        """
        return encode_frame((opcode, wrap_payload(payload, reduce_main_only)))

    @staticmethod
    def _extension(code: int, data: memoryview) -> Any:
        if code in (PICKLED, PICKLED_WITH_BUFFERS):
            return load_extension(code, data, ())
        return msgspec.msgpack.Ext(code, bytes(data))


_plain = PlainCodec()


class Frame:
    """
    One message: an opcode and its payload.

    Args:
        opcode: One of `ProxyOpCode`.
        payload: The list of items for the opcode.
    """

    __slots__ = ("opcode", "payload")

    def __init__(self, opcode: int, payload: list[Any]) -> None:
        self.opcode: int = opcode
        self.payload: list[Any] = payload

    @classmethod
    def parse(cls, data: bytes) -> Frame:
        """
        Decode a frame, without the size prefix.

        Args:
            data: ``msgpack([opcode, payload])``.

        Raises:
            DataDecodeError: The bytes are not a valid frame.
        """
        try:
            opcode, payload = _plain.decode(data)
            if type(payload) is list:
                payload = [_without_fault(item) for item in payload]
        except DataDecodeError:
            raise
        except Exception as error:
            raise DataDecodeError(
                f"{len(data)} bytes are not a valid frame: {type(error).__name__}: "
                f"{error}. A frame must be msgpack([opcode, payload])."
            ) from error
        if type(opcode) is not int or type(payload) is not list:
            raise DataDecodeError(
                "A frame must be msgpack([opcode, payload]) with an integer and a "
                f"list, not {type(opcode).__name__} and {type(payload).__name__}."
            )
        return cls(opcode, payload)

    def __repr__(self) -> str:
        return f"<Frame opcode={self.opcode} payload={self.payload!r}>"

    __str__ = __repr__


def _without_fault(item: Any) -> Any:
    """
    Return the exception of a fault, and any other item as it is.
    """
    if type(item) is msgspec.msgpack.Ext and item.code == FAULT:
        return parse_fault(bytes(item.data))
    return item


def write_into(buffer: memoryview, frame: Frame) -> int:
    """
    Write a frame into a buffer, the size last.

    Args:
        buffer: Writable bytes; the frame begins at the first.
        frame: The frame to write.

    Returns:
        The size of the payload in bytes, without the prefix.

    Raises:
        DataEncodeError: A value cannot be encoded.
        DataTooBigError: The frame does not fit; the buffer is unchanged.
    """
    try:
        data = _plain.encode(int(frame.opcode), frame.payload)
    except Exception as error:
        raise DataEncodeError(
            f"This frame cannot be encoded: {type(error).__name__}: {error}."
        ) from error
    size = len(data)
    room = len(buffer) - SIZE_PREFIX_BYTES
    if size > room:
        raise DataTooBigError(
            f"A frame must be at most {max(room, 0)} bytes to fit its buffer, not "
            f"{size}. Give the server a larger bufsize."
        )
    buffer[SIZE_PREFIX_BYTES : SIZE_PREFIX_BYTES + size] = data
    SIZE_PREFIX.pack_into(buffer, 0, size)
    return size


def parse_from(buffer: memoryview, timeout: float | None = 0.5) -> Frame:
    """
    Read the frame in a buffer.

    While another process writes the frame, it may be incomplete; it is read again until
    it is complete.

    Args:
        buffer: Bytes; the frame begins at the first.
        timeout: Seconds to wait until the frame is complete; None waits for ever.

    Raises:
        EmptyData: The size is 0.
        DataTooBigError: The size is larger than the buffer.
        TimeoutError: The frame was not complete in time.
        DataDecodeError: The bytes are not a valid frame.
    """
    if len(buffer) < SIZE_PREFIX_BYTES:
        raise DataDecodeError(
            f"A buffer must be at least {SIZE_PREFIX_BYTES} bytes, the size of a "
            f"frame's prefix, not {len(buffer)}."
        )
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = threading.Event()
    while True:
        (size,) = SIZE_PREFIX.unpack_from(buffer, 0)
        if size == 0:
            raise EmptyData("The buffer holds no frame: its size is 0.")
        room = len(buffer) - SIZE_PREFIX_BYTES
        if size > room:
            raise DataTooBigError(
                f"The size in the buffer must be at most {room} bytes, not {size}."
            )
        data = bytes(buffer[SIZE_PREFIX_BYTES : SIZE_PREFIX_BYTES + size])
        try:
            return Frame.parse(data)
        except DataDecodeError as error:
            if not _is_cut_short(error):
                raise
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(
                    f"A frame of {size} bytes was not complete within {timeout} s."
                ) from error
        pause.wait(RETRY_S)


def _is_cut_short(error: DataDecodeError) -> bool:
    cause = error.__cause__
    return isinstance(cause, msgspec.DecodeError) and "truncated" in str(cause)
