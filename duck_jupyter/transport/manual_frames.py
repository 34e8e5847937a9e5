"""
Manual frames: written to and read from a named block by the user's code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..memory.blocks import buffer_of
from ..protocol.manual_frames import SIZE_PREFIX_BYTES, Frame, parse_from, write_into

if TYPE_CHECKING:
    from multiprocessing.shared_memory import SharedMemory

__all__ = ["FramesByHand"]


class FramesByHand:
    """
    The methods of proxies and servers for manual frames.
    """

    __slots__ = ()

    _DATA_SIZE_PREFIX_LEN = SIZE_PREFIX_BYTES

    def read_frame(
        self, shared_memory: SharedMemory, timeout: float | None = 0.5
    ) -> Frame:
        """
        Read the frame in a block.

        Args:
            shared_memory: The block.
            timeout: Seconds to wait until the frame is complete; None waits for ever.

        Raises:
            EmptyData: The block holds no frame.
            DataTooBigError: The size in the block is larger than the block.
            TimeoutError: The frame was not complete in time.
            DataDecodeError: The bytes are not a valid frame.
            ProxyClosed: The block was closed in this process.
        """
        return parse_from(buffer_of(shared_memory), timeout)

    def write_frame(self, shared_memory: SharedMemory, frame: Frame) -> int:
        """
        Write a frame into a block.

        Args:
            shared_memory: The block.
            frame: The frame to write.

        Returns:
            The size of its payload in bytes.

        Raises:
            DataEncodeError: A value cannot be encoded.
            DataTooBigError: The frame does not fit; the block is unchanged.
            ProxyClosed: The block was closed in this process.
        """
        return write_into(buffer_of(shared_memory), frame)
