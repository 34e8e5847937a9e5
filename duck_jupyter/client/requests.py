"""
Requests over the channels of a process, and the values of their answers.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Decoder

from ..protocol.faults import FAULT, parse_fault
from ..protocol.frames import encode_frame, encode_request
from ..protocol.iterators import ReadingFailed
from ..protocol.opcodes import ProxyOpCode
from ..protocol.references import (
    METHOD,
    OF_TYPE,
    REF,
    MethodMark,
    ObjectRef,
    resolving,
)
from ..protocol.values import PLAIN_TYPES, load_extension
from .arguments import Arguments
from .exchanges import Exchanges

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    MakeProxy = Callable[[Any, ObjectRef], Any]

__all__ = ["EXECUTE", "NOTHING", "Requests"]

EXECUTE = int(ProxyOpCode.EXECUTE)
NOTHING: dict[str, Any] = {}

decode_ref: Callable[[memoryview], ObjectRef] = Decoder(ObjectRef).decode


class Requests(Exchanges):
    """
    A process's requests to one server.

    Args:
        address: The path of the server's socket.
        secret: The secret that proves to the server that this process was given a
            proxy.
        make_proxy: Makes a proxy of a reference that arrived over this link.
    """

    def __init__(self, address: str, secret: bytes, make_proxy: MakeProxy) -> None:
        super().__init__(address, secret)
        self._make_proxy = make_proxy

    def execute(
        self,
        idx: int,
        method: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """
        Call a method of an object and return its result.

        Args:
            idx: The object's number.
            method: The method's name.
            args: Positional arguments.
            kwargs: Keyword arguments.
            timeout: Seconds to wait, or None.

        Raises:
            ProxyError: The request failed.
            BaseException: Raised by the method.
        """
        for value in args:
            if type(value) not in PLAIN_TYPES:
                break
        else:
            if not kwargs:
                return self.request(EXECUTE, (idx, method, args, NOTHING), timeout)
        return self.send(
            EXECUTE, [idx, method, list(args), dict(kwargs or {})], timeout
        )

    def send(
        self, opcode: int, payload: Sequence[Any], timeout: float | None = None
    ) -> Any:
        """
        Send any request frame and return the answer's value.

        Args:
            opcode: One of `ProxyOpCode`.
            payload: The payload of the frame, with the arguments as a list and a dict.
            timeout: Seconds to wait, or None.

        Raises:
            ProxyError: The request failed.
            BaseException: Raised by the object, or by an iterator among the arguments,
                which is read before anything is sent.
        """
        began = monotonic()
        buffers: list[Any] = []
        try:
            data = encode_request(opcode, payload, Arguments(self).reduce, buffers)
        except ReadingFailed as failed:
            error = failed.error
        else:
            return self._exchange(data, buffers, timeout, 0, began)
        raise error  # raised by an iterator among the arguments

    def request(
        self,
        opcode: int,
        payload: Sequence[Any],
        timeout: float | None = None,
        looks: int = 0,
        began: float = 0.0,
    ) -> Any:
        """
        Send a request with plain values; otherwise like `send`.

        Args:
            opcode: One of `ProxyOpCode`.
            payload: The payload of the frame.
            timeout: Seconds to wait, or None.
            looks: Number of polls before the thread blocks; 0 for the adaptive number.
            began: When the user's call began, in monotonic seconds; now by default.
        """
        began = began or monotonic()
        try:
            data = encode_frame((opcode, payload))
        except (OverflowError, UnicodeEncodeError):
            # An integer over 64 bits, or a lone surrogate: pickle can encode both.
            parts = [list(p) if type(p) is tuple else p for p in payload]
            return self.send(opcode, parts, timeout)
        return self._exchange(data, (), timeout, looks, began)

    def proxy_of(self, ref: ObjectRef) -> Any:
        """
        Make a proxy of a reference.
        """
        return self._make_proxy(self, ref)

    def _resolve(self, token: Any) -> Any:
        return self._make_proxy(self, ObjectRef(*token))

    def _extension(self, code: int, data: memoryview) -> Any:
        if code == REF:
            return self._make_proxy(self, decode_ref(data))
        if code == METHOD:
            return MethodMark(of_type=bytes(data) == OF_TYPE)
        with resolving(self._resolve):
            if code == FAULT:
                return parse_fault(data)
            return load_extension(code, data, self.thread.buffers)
