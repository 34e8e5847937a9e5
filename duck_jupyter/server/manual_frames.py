"""
Frames that are written by hand, answered in the block that they came in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from ..errors import DataDecodeError, DataTooBigError
from ..memory.blocks import buffer_of, create_named
from ..protocol.manual_frames import SIZE_PREFIX_BYTES, Frame
from ..protocol.opcodes import ProxyOpCode
from ..transport.manual_frames import FramesByHand

if TYPE_CHECKING:
    import threading
    from multiprocessing.shared_memory import SharedMemory

    from ..client.link import Link
    from ..objects.table import ObjectTable
    from .dispatch import Dispatcher

__all__ = ["AnswersByHand"]

RESPONSE_PENDING = int(ProxyOpCode.RESPONSE_PENDING)


class AnswersByHand(FramesByHand, ABC):
    """
    What a server does about frames by hand.
    """

    bufsize: int
    table: ObjectTable
    _block: SharedMemory | None
    _dispatcher: Dispatcher
    _lock: threading.Lock

    @property
    @abstractmethod
    def link(self) -> Link:
        """
        This process's link to the server.
        """

    def handle_frame(self, shared_memory: SharedMemory, frame: Frame) -> None:
        """
        Answer a frame in the block that it came in.

        A frame that is an answer itself is left alone.

        Raises:
            DataDecodeError: Its opcode is none.
        """
        if frame.opcode in (ProxyOpCode.EXECUTION_RESULT, RESPONSE_PENDING):
            return
        if frame.opcode not in tuple(ProxyOpCode):
            raise DataDecodeError(f"There is no opcode {frame.opcode!r}.")
        self.handle_request_frame(shared_memory, frame)

    def handle_request_frame(self, shared_memory: SharedMemory, frame: Frame) -> None:
        """
        Do what a GET, SET or EXECUTE frame says, and write the answer into the block.

        While it is being done the block holds a RESPONSE_PENDING frame.

        Raises:
            DataTooBigError: The answer does not fit; the block holds that as a fault.
        """
        self.write_frame(shared_memory, Frame(RESPONSE_PENDING, []))
        here: Any = self.link.server
        connection = here.connection
        idx = frame.payload[0] if frame.payload else None
        entry = self.table.entries.get(idx) if type(idx) is int else None
        data, _ = self._dispatcher.answer(
            frame.opcode, frame.payload, entry, connection
        )
        buffer = buffer_of(shared_memory)
        room = len(buffer) - SIZE_PREFIX_BYTES
        if len(data) > room:
            error = DataTooBigError(
                f"The answer takes {len(data)} bytes and the block has room for {room}."
            )
            data, _ = self._dispatcher.fault(error, frame.payload, connection)
            if len(data) > room:
                raise error
        buffer[SIZE_PREFIX_BYTES : SIZE_PREFIX_BYTES + len(data)] = data
        buffer[:SIZE_PREFIX_BYTES] = len(data).to_bytes(4, "big")

    def _own_block_name(self) -> str:
        with self._lock:
            if self._block is None:
                self._block = create_named(self.bufsize + SIZE_PREFIX_BYTES)
            return self._block.name
