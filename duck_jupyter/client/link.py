"""
A process's way to one server: a channel for each thread, and what the process holds.

In the server's own process there is no way to go: the link has the server itself. A
child of fork inherits neither: its links start anew.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import threading
import weakref
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.msgpack import Decoder

from ..errors import DataDecodeError, KernelGone, ProxyError
from ..protocol.faults import FAULT, parse_fault
from ..protocol.opcodes import ProxyOpCode
from ..protocol.refs import (
    DESK,
    METHOD,
    OF_TYPE,
    REF,
    MethodMark,
    ObjectRef,
    resolve,
    resolving,
)
from ..protocol.values import (
    PLAIN_TYPES,
    encode,
    load_extension,
    reduce_main_only,
    wrap_payload,
)
from ..transport.rendezvous import close_inherited, connect
from .channel import Channel
from .releaser import Releaser
from .seats import Seat, ThreadState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .local import LocalServer

__all__ = ["Link"]

EXECUTE = int(ProxyOpCode.EXECUTE)
NOTHING: dict[str, Any] = {}

decode_ref = Decoder(ObjectRef).decode


class Link:
    """
    This process's way to one server.

    Args:
        address: The path of the server's socket.
        secret: What it wants to see proved.
        server: The server, where this is its own process.
    """

    #: Makes a proxy of a reference; set by the module that has the class.
    make_proxy: ClassVar[Callable[[Link, ObjectRef], Any]]

    def __init__(
        self, address: str, secret: bytes, server: LocalServer | None = None
    ) -> None:
        self.address = address
        self.secret = secret
        self.server = server
        #: Set once the server closed in this very process.
        self.ended = False
        self.methods: dict[int, set[str]] = {}
        self._reset()

    def _reset(self) -> None:
        self.thread = ThreadState()
        self.client = secrets.token_hex(8)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._channels: weakref.WeakSet[Channel] = weakref.WeakSet()
        self._free: deque[Channel] = deque()
        self._releaser = Releaser(lambda *numbers: self.desk("release", *numbers))
        self._decode = Decoder(ext_hook=self._extension).decode

    def after_fork(self) -> None:
        """
        Start anew in a child: what was inherited belongs to the parent.
        """
        channels = list(self._channels)
        # Neither closing nor dropping may tell the server anything: the sockets stay
        # open in the parent, so only this process's descriptors go.
        for channel in channels:
            channel.close()
        if self.server is None:
            close_inherited(self.address)
        self.server = None
        self._reset()

    # -- asking ----------------------------------------------------------------

    def execute(
        self,
        idx: int,
        method: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """
        Call a method of an object, and give what it returns.

        Args:
            idx: The object's number.
            method: The method's name.
            args: Positional arguments.
            kwargs: Keyword arguments.
            timeout: Seconds to wait, or None.

        Raises:
            ProxyError: Something went wrong on the way.
            BaseException: Whatever the method raised.
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
        Send any request frame, and give the answer's value.

        Args:
            opcode: One of `ProxyOpCode`.
            payload: What belongs to it; arguments are a list and a dict in it.
            timeout: Seconds to wait, or None.

        Raises:
            ProxyError: Something went wrong on the way.
            BaseException: Whatever the object raised.
        """
        buffers: list[Any] = []
        wrapped = wrap_payload(payload, self._reduce, buffers)
        data = encode((opcode, wrapped))
        return self._exchange(self.channel(), data, buffers, timeout)

    def request(
        self,
        opcode: int,
        payload: Sequence[Any],
        timeout: float | None = None,
        looks: int = 0,
    ) -> Any:
        """
        Send a request whose values are plain, as `send`.
        """
        try:
            data = encode((opcode, payload))
        except (OverflowError, UnicodeEncodeError):
            # A whole number over 64 bits, or a lone surrogate: pickle can.
            parts = [list(p) if type(p) is tuple else p for p in payload]
            return self.send(opcode, parts, timeout)
        channel = self.thread.channel
        if channel is None or channel.busy:
            channel = self.channel()
        return self._exchange(channel, data, (), timeout, looks)

    def desk(self, word: str, *args: Any, looks: int = 0) -> Any:
        """
        Say a control word to the server itself.

        Args:
            word: The word.
            args: What belongs to it.
            looks: As `Channel.call` takes it.
        """
        if self.server is not None:
            return self.server.local_desk(word, args)
        return self.request(EXECUTE, (DESK, word, args, NOTHING), looks=looks)

    def reference(
        self, idx: int, how: str, name: str, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        """
        Ask for whatever an attribute or a call gives as a reference.
        """
        if self.server is not None:
            return self.server.local_reference(idx, how, name, args, kwargs)
        return self.send(
            EXECUTE, [DESK, "reference", [idx, how, name, args, kwargs], {}]
        )

    def _exchange(
        self,
        channel: Channel,
        data: bytes,
        buffers: Sequence[Any],
        timeout: float | None,
        looks: int = 0,
    ) -> Any:
        try:
            data, back = channel.call(data, buffers, timeout, looks)
        except BaseException as error:
            self._give_up(channel, error)
            raise
        if back:
            self.thread.buffers = back
        try:
            _, (_, value, fault) = self._decode(data)
        except (ValueError, TypeError) as broken:
            if isinstance(broken, ProxyError):
                raise
            raise DataDecodeError(
                f"{self.who} answered with {len(data)} bytes that are no frame: "
                f"{broken}."
            ) from broken
        finally:
            if back:
                self.thread.buffers = ()
        if fault is not None:
            raise fault
        return value

    def call_through(self, channel: Channel, idx: int, method: str, *args: Any) -> Any:
        """
        Call a method through a certain channel, after what it may still be busy with.
        """
        channel.settle(None)
        payload = wrap_payload([idx, method, list(args), {}], self._reduce)
        return self._exchange(channel, encode((EXECUTE, payload)), (), None)

    # -- channels ----------------------------------------------------------------

    @property
    def who(self) -> str:
        """
        The server, for messages.
        """
        return f"The server at {self.address}"

    def channel(self) -> Channel:
        """
        Give this thread's channel, made at its first call.

        Raises:
            KernelGone: The server ended.
        """
        thread = self.thread
        channel = thread.channel
        if channel is not None and not channel.busy:
            return channel
        if self.ended:
            raise KernelGone(
                f"{self.who} has closed. Share the object again and pass the new proxy."
            )
        try:
            channel = self._free.pop()
        except IndexError:
            channel = self._connect()
        if thread.channel is None:
            # A call inside another (in a signal handler) leaves the seat as it is. An
            # interrupt after the first line gives the channel to the next one; none
            # comes between the others.
            seat = Seat(channel, self._free)
            thread.seat = seat
            thread.channel = channel
        return channel

    def _connect(self) -> Channel:
        lane = connect(self.address, self.secret, self.client, next(self._numbers))
        channel = Channel(lane, self.who)
        with self._lock:
            self._channels.add(channel)
        return channel

    def _give_up(self, channel: Channel, error: BaseException) -> None:
        """
        Never use a channel again whose answer may come late.
        """
        if isinstance(error, KernelGone):
            channel.close()
            self._free.clear()
        elif not channel.busy:
            return  # nothing was sent
        elif not channel.contexts:
            channel.close()
        thread = self.thread
        if thread.channel is channel:
            thread.channel = None
            if thread.seat is not None:
                thread.seat.leave()
                thread.seat = None

    def detach(self) -> None:
        """
        Close this process's idle channels; the next call opens one again.
        """
        thread = self.thread
        channel = thread.channel
        if channel is not None and not channel.busy and not channel.contexts:
            # First of all nobody's: an interrupt must not leave a closed one here.
            thread.channel = None
            if thread.seat is not None:
                thread.seat.leave()
                thread.seat = None
            channel.close()
        while self._free:
            with contextlib.suppress(IndexError):
                self._free.pop().close()

    def close_if_ended(self) -> bool:
        """
        Give back what a link to a server has that took its socket away.

        Returns:
            True when it had; every later use is a `KernelGone`.
        """
        if self.server is not None or Path(self.address).exists():
            return False
        self.ended = True
        # Threads find no channel of theirs any more.
        self.thread = ThreadState()
        for channel in list(self._channels):
            # One that waits for an answer hears of the end by itself.
            if not channel.busy:
                channel.close()
        self._free.clear()
        self._releaser.stop()
        return True

    # -- references ----------------------------------------------------------------

    def _reduce(self, value: Any) -> Any:
        token = getattr(type(value), "_duck_token", None)
        if token is not None:
            token = token(value, self)
            if token is not None:
                return resolve, (token,)
        return reduce_main_only(value)

    def _resolve(self, token: Any) -> Any:
        return type(self).make_proxy(self, ObjectRef(*token))

    def _extension(self, code: int, data: memoryview) -> Any:
        if code == REF:
            return type(self).make_proxy(self, decode_ref(data))
        if code == METHOD:
            return MethodMark(of_type=bytes(data) == OF_TYPE)
        with resolving(self._resolve):
            if code == FAULT:
                return parse_fault(data)
            return load_extension(code, data, self.thread.buffers)

    def hold(self) -> None:
        """
        Note that this process has a proxy of a chained object.
        """
        if self.server is None:
            self._releaser.start()

    def drop(self, idx: int) -> None:
        """
        Note that a proxy of a chained object went; safe in ``__del__``.
        """
        if self.server is not None:
            self.server.local_drop(idx)
        else:
            self._releaser.drop(idx)

    def __repr__(self) -> str:
        where = "here" if self.server is not None else f"{len(self._channels)} channels"
        return f"<Link to {self.address}, {where}>"
