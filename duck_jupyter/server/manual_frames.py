"""
Manual frames, answered in the block in which they were written.
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
    How a server answers manual frames.
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
        Answer a frame in the block in which it was written.

        A frame that is itself an answer is ignored.

        Raises:
            DataDecodeError: Its opcode does not exist.
        """
        if frame.opcode in (ProxyOpCode.EXECUTION_RESULT, RESPONSE_PENDING):
            return
        if frame.opcode not in tuple(ProxyOpCode):
            raise DataDecodeError(f"The opcode {frame.opcode!r} does not exist.")
        self.handle_request_frame(shared_memory, frame)

    def handle_request_frame(self, shared_memory: SharedMemory, frame: Frame) -> None:
        """
        Execute a GET, SET or EXECUTE frame, and write the answer into the block.

        During the execution the block holds a RESPONSE_PENDING frame.

        Raises:
            DataTooBigError: The answer does not fit; the block then holds this error.
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
                f"The answer must be at most {room} bytes to fit the block, not "
                f"{len(data)}."
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
