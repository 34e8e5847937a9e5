"""
Methods of proxies for frames that a worker writes and reads manually.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DataDecodeError
from ..memory.blocks import attach_named
from ..protocol.opcodes import ProxyOpCode
from ..protocol.references import MethodMark
from ..transport.manual_frames import FramesByHand
from .proxy_method import ProxyMethod

if TYPE_CHECKING:
    from multiprocessing.shared_memory import SharedMemory

    from ..protocol.manual_frames import Frame

__all__ = ["ManualFrames"]

REQUESTS = (ProxyOpCode.GET, ProxyOpCode.SET, ProxyOpCode.EXECUTE)

_own = object.__getattribute__


class ManualFrames(FramesByHand):
    """
    The methods of a proxy for manual frames.
    """

    __slots__ = ()

    def get_shared_memory(self) -> SharedMemory:
        """
        Attach to the block for manual frames.

        It is the block given to `ProxyServer.create_proxy`, or the server's own. The
        caller closes it (``SharedMemory.close``).

        Raises:
            KernelGone: The block was removed with its server.
        """
        name = _own(self, "_duck_block_name") or _own(self, "_duck_link").desk(
            "block_name"
        )
        return attach_named(name)

    def get_response(self, frame: Frame, timeout: float | None = None) -> Any:
        """
        Send a request and return the answer's value.

        Args:
            frame: A GET, SET or EXECUTE frame.
            timeout: Seconds to wait, or None to wait for ever. It has no effect in the
                server's own process.

        Returns:
            A value, a proxy, or a callable.

        Raises:
            DataDecodeError: The frame is not a request.
            ProxyTimeout: No answer came in time; a late answer is dropped.
            KernelGone: The server ended.
        """
        opcode, payload = frame.opcode, frame.payload
        link = _own(self, "_duck_link")
        if link.server is not None:
            return _bound(self, payload, link.server.local_frame(opcode, payload))
        if opcode not in REQUESTS:
            raise DataDecodeError(
                f"The opcode of a request must be GET, SET or EXECUTE, not {opcode!r}."
            )
        return _bound(self, payload, link.send(opcode, payload, timeout))


def _bound(proxy: Any, payload: list[Any], value: Any) -> Any:
    return ProxyMethod(proxy, payload[1]) if type(value) is MethodMark else value
