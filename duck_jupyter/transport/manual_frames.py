"""
Frames that are written and read by hand, in a named block.
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
    What a proxy and a server have in common for those who write frames themselves.
    """

    __slots__ = ()

    _DATA_SIZE_PREFIX_LEN = SIZE_PREFIX_BYTES

    def read_frame(
        self, shared_memory: SharedMemory, timeout: float | None = 0.5
    ) -> Frame:
        """
        Read the frame that lies in a block.

        Args:
            shared_memory: The block.
            timeout: Seconds to wait until the frame is whole; None waits for ever.

        Raises:
            EmptyData: The block holds none.
            DataTooBigError: The block says that it holds more than it can.
            TimeoutError: The frame was not whole in time.
            DataDecodeError: The bytes are no frame.
            ProxyClosed: The block was closed in this process.
        """
        return parse_from(buffer_of(shared_memory), timeout)

    def write_frame(self, shared_memory: SharedMemory, frame: Frame) -> int:
        """
        Write a frame into a block.

        Args:
            shared_memory: The block.
            frame: What to write.

        Returns:
            The size of its payload in bytes.

        Raises:
            DataEncodeError: A value cannot be turned into bytes.
            DataTooBigError: The frame does not fit; the block is as it was.
            ProxyClosed: The block was closed in this process.
        """
        return write_into(buffer_of(shared_memory), frame)
