"""
Frames that are written and read by hand, and how one lies in a buffer.

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
    from collections.abc import Sequence

__all__ = ["SIZE_PREFIX_BYTES", "Frame", "parse_from", "write_into"]

SIZE_PREFIX_BYTES = 4
SIZE_PREFIX = struct.Struct(">I")
RETRY_S = 0.0005


class PlainCodec:
    """
    The codec for frames that hold values only, and no references.
    """

    def __init__(self) -> None:
        self.decode = msgspec.msgpack.Decoder(ext_hook=self._extension).decode

    def encode(self, opcode: int, payload: Sequence[Any]) -> bytes:
        """
        Turn an opcode and its payload into bytes.
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
        payload: The list that belongs to the opcode.
    """

    __slots__ = ("opcode", "payload")

    def __init__(self, opcode: int, payload: list[Any]) -> None:
        self.opcode = opcode
        self.payload = payload

    @classmethod
    def parse(cls, data: bytes) -> Frame:
        """
        Read a frame from its bytes, without the size prefix.

        Args:
            data: ``msgpack([opcode, payload])``.

        Raises:
            DataDecodeError: The bytes are no frame.
        """
        try:
            opcode, payload = _plain.decode(data)
            if type(payload) is list:
                payload = [_without_fault(item) for item in payload]
        except DataDecodeError:
            raise
        except Exception as error:
            raise DataDecodeError(
                f"{len(data)} bytes are no frame: {type(error).__name__}: {error}. "
                "A frame is msgpack([opcode, payload])."
            ) from error
        if type(opcode) is not int or type(payload) is not list:
            raise DataDecodeError(
                "A frame is msgpack([opcode, payload]) with a whole number and a "
                f"list, but these were {type(opcode).__name__} and "
                f"{type(payload).__name__}."
            )
        return cls(opcode, payload)

    def __repr__(self) -> str:
        return f"<Frame opcode={self.opcode} payload={self.payload!r}>"

    __str__ = __repr__


def _without_fault(item: Any) -> Any:
    """
    Give the exception where an answer holds a fault.
    """
    if type(item) is msgspec.msgpack.Ext and item.code == FAULT:
        return parse_fault(bytes(item.data))
    return item


def write_into(buffer: memoryview, frame: Frame) -> int:
    """
    Write a frame into a buffer, the size last.

    Args:
        buffer: Writable bytes; the frame begins at the first.
        frame: What to write.

    Returns:
        The size of the payload in bytes, without the prefix.

    Raises:
        DataEncodeError: A value cannot be turned into bytes.
        DataTooBigError: The frame does not fit; the buffer is as it was.
    """
    try:
        data = _plain.encode(int(frame.opcode), frame.payload)
    except Exception as error:
        raise DataEncodeError(
            f"This frame cannot be turned into bytes: {type(error).__name__}: {error}."
        ) from error
    size = len(data)
    room = len(buffer) - SIZE_PREFIX_BYTES
    if size > room:
        raise DataTooBigError(
            f"A frame of {size} bytes does not fit into a buffer with room for "
            f"{max(room, 0)}. Give the server a larger bufsize."
        )
    buffer[SIZE_PREFIX_BYTES : SIZE_PREFIX_BYTES + size] = data
    SIZE_PREFIX.pack_into(buffer, 0, size)
    return size


def parse_from(buffer: memoryview, timeout: float | None = 0.5) -> Frame:
    """
    Read the frame that lies in a buffer.

    A frame that another process is still writing may be cut short for a moment;
    it is read again until it is whole.

    Args:
        buffer: Bytes; the frame begins at the first.
        timeout: Seconds to wait until the frame is whole; None waits for ever.

    Raises:
        EmptyData: The size is 0.
        DataTooBigError: The size is more than the buffer can hold.
        TimeoutError: The frame was not whole in time.
        DataDecodeError: The bytes are no frame.
    """
    if len(buffer) < SIZE_PREFIX_BYTES:
        raise DataDecodeError(
            f"A buffer of {len(buffer)} bytes has no room for the size of a frame, "
            f"which takes {SIZE_PREFIX_BYTES}."
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
                f"The buffer says that it holds a frame of {size} bytes, but it has "
                f"room for {room}."
            )
        data = bytes(buffer[SIZE_PREFIX_BYTES : SIZE_PREFIX_BYTES + size])
        try:
            return Frame.parse(data)
        except DataDecodeError as error:
            if not _is_cut_short(error):
                raise
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(
                    f"A frame of {size} bytes was not whole within {timeout} s."
                ) from error
        pause.wait(RETRY_S)


def _is_cut_short(error: DataDecodeError) -> bool:
    cause = error.__cause__
    return isinstance(cause, msgspec.DecodeError) and "truncated" in str(cause)
