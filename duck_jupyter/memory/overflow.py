"""
The overflow area of a lane: memory for messages that do not fit its buffer.

The area is in the file of the lane's own block, after the block. Both sides map it when
they first need it, and again after it has grown. So no descriptor is sent after the
handshake. The area never holds a request and its answer at the same time: the reader
copies the message out before it writes the next one.

The file can grow and cannot shrink (`Block.create_growing`), so neither side can cause
a SIGBUS in the other through the file.
"""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

from ..errors import DataTooBigError
from ..interrupts import is_of_signal_handler
from .allocation import free_memory
from .copying import copy_into

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .blocks import Block

__all__ = ["Overflow"]

#: Parts of a message begin at multiples of this many bytes.
ALIGN = 64
LEAST_BYTES = 64 * 1024
#: Bytes that stay allocated between two messages; the space of a larger one is freed.
KEEP_BYTES = 8 * 1024 * 1024
#: The unit of `os.stat_result.st_blocks`.
UNIT_BYTES = 512
PAGE_BYTES = mmap.ALLOCATIONGRANULARITY


class Overflow:
    """
    One side's mapping of the overflow area. Used by one thread at a time.

    Args:
        block: The lane's block, which can grow.
        max_message: The largest message in bytes.
    """

    __slots__ = ("_area", "_block", "_max_message", "_offset")

    def __init__(self, block: Block, max_message: int) -> None:
        self._block = block
        self._max_message = max_message
        #: The offset of the area in the file: a mapping begins with a page.
        self._offset = -(-block.size // PAGE_BYTES) * PAGE_BYTES
        self._area: mmap.mmap | None = None

    def write(self, parts: Sequence[memoryview]) -> None:
        """
        Copy the parts of a message into the area, which grows if necessary.

        Raises:
            DataTooBigError: The message is larger than `max_message`, or there is no
                space for it. Nothing was written to the area.
            ValueError: The block was closed.
        """
        total = _total([part.nbytes for part in parts])
        if total > self._max_message:
            error = DataTooBigError(
                f"A message must be at most {self._max_message:,} bytes (max_message), "
                f"not {total:,}. Nothing was sent. Send it in parts, or raise the "
                "limit of the server."
            )
            error.message_bytes = total
            raise error
        area = self._area
        if area is None or len(area) < total or total > KEEP_BYTES:
            size = max(LEAST_BYTES, 1 << (total - 1).bit_length())
            if size > KEEP_BYTES:
                size = -(-total // PAGE_BYTES) * PAGE_BYTES
            self._allocate(size)
            area = self._map(size)
        view = memoryview(area)
        start = 0
        for part in parts:
            copy_into(view[start : start + part.nbytes], part)
            start += _aligned(part.nbytes)

    def read(self, sizes: Sequence[int]) -> tuple[bytes, Sequence[bytearray]]:
        """
        Copy a message out of the area.

        Args:
            sizes: Sizes of its parts in bytes, as the other side sent them.

        Returns:
            The first part, and the others.

        Raises:
            ValueError: There is no such message, or the block was closed.
        """
        total = _total(sizes)
        if not sizes or total > self._max_message:
            raise ValueError(f"its parts would take {total} bytes")
        area = self._map(total)
        view = memoryview(area)
        first = bytes(view[: sizes[0]])
        others = []
        start = _aligned(sizes[0])
        for size in sizes[1:]:
            others.append(bytearray(view[start : start + size]))
            start += _aligned(size)
        if total > KEEP_BYTES:
            # Free the space; the size of the file stays.
            area.madvise(mmap.MADV_REMOVE, KEEP_BYTES)
        return first, others

    def _allocate(self, size: int) -> None:
        if size > KEEP_BYTES and size > free_memory():
            raise DataTooBigError(
                f"There is no memory for a message of {size:,} bytes; "
                f"{free_memory():,} are free. Send less at a time."
            )
        descriptor = self._block.descriptor
        try:
            os.posix_fallocate(descriptor.fileno(), self._offset, size)
        except OSError as error:
            if is_of_signal_handler(error):
                raise
            raise DataTooBigError(
                f"There is no space for a message of {size:,} bytes "
                f"({error.strerror}). Send less at a time."
            ) from error

    def _map(self, size: int) -> mmap.mmap:
        """
        Return a mapping of at least this many bytes.
        """
        area = self._area
        if area is None or len(area) < size:
            descriptor = self._block.descriptor
            there = os.fstat(descriptor.fileno()).st_size - self._offset
            if there < size:
                raise ValueError(f"it has {there} bytes, and {size} were announced")
            area = mmap.mmap(descriptor.fileno(), size, offset=self._offset)
            self._area = area
        return area

    @property
    def bytes(self) -> int:
        """
        The bytes that the system has allocated for the area, for both sides.
        """
        if self._block.closed:
            return 0
        found = os.fstat(self._block.descriptor.fileno())
        return max(found.st_blocks * UNIT_BYTES - self._offset, 0)

    def close(self) -> None:
        """
        Unmap the area. Repeated calls do nothing.
        """
        self._area = None


def _aligned(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def _total(sizes: Sequence[int]) -> int:
    return sum(map(_aligned, sizes))
