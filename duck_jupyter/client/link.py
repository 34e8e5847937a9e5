"""
A process's way to one server: a channel for each thread, and what the process holds.

In the server's own process there is no way to go: the link has the server itself. A
child of fork inherits neither: its links start anew.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import threading
import weakref
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.msgpack import Decoder

from ..errors import DataDecodeError, KernelGone, ProxyError
from ..protocol.faults import FAULT, pack_fault, parse_fault
from ..protocol.opcodes import ProxyOpCode
from ..protocol.refs import ObjectRef, resolve, resolving
from ..protocol.values import (
    PLAIN_TYPES,
    encode,
    load_extension,
    reduce_main_only,
    wrap_payload,
)
from ..transport.rendezvous import PROTOCOL_VERSION, Hello, connect
from .channel import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "DESK",
    "METHOD",
    "OF_TYPE",
    "REF",
    "Link",
    "LocalServer",
    "MethodMark",
    "end_here",
    "link_here",
    "link_to",
]

#: Extension codes of a reference and of a method of the object that was asked.
REF = 2
METHOD = 3
#: The number of no object: calls to it are to the server itself.
DESK = 0
EXECUTE = int(ProxyOpCode.EXECUTE)
#: What a METHOD extension holds where every object of the type has the method.
OF_TYPE = b"t"
RELEASE_AT_ONCE = 500
#: Proxies that were dropped are reported together, this many seconds later.
RELEASE_EVERY_S = 0.05

decode_ref = Decoder(ObjectRef).decode

_links: dict[str, Link] = {}
_links_lock = threading.Lock()


class LocalServer(Protocol):
    """
    What a link needs of the server in whose process it is.
    """

    def local_call(self, idx: int, method: str, args: Any, kwargs: Any) -> Any:
        """
        Do in this process what an EXECUTE frame would.
        """

    def local_get(self, idx: int, name: str) -> Any:
        """
        Do in this process what a GET frame would.
        """

    def local_frame(self, opcode: int, payload: Sequence[Any]) -> Any:
        """
        Do in this process what any request frame would.
        """

    def local_set(self, idx: int, name: str, value: Any) -> None:
        """
        Do in this process what a SET frame would.
        """

    def local_desk(self, word: str, args: Sequence[Any]) -> Any:
        """
        Do in this process what a call to the server itself would.
        """

    def local_drop(self, idx: int) -> None:
        """
        Note that a proxy of a chained object went; safe in ``__del__``.
        """


class MethodMark:
    """
    The answer to a GET of a method: there is one, call it by name.
    """

    __slots__ = ("of_type",)

    def __init__(self, *, of_type: bool) -> None:
        #: Every object of the type has it, so nobody need ask again.
        self.of_type = of_type


class _Thread(threading.local):
    """
    What one thread has of one link.
    """

    seat: _Seat | None = None
    channel: Channel | None = None
    #: The buffers of the answer that is being decoded.
    buffers: Sequence[Any] = ()

    def __init__(self) -> None:
        #: The channels through which this thread's ``with`` blocks were entered.
        self.entered: dict[int, list[Channel]] = {}


class _Seat:
    """
    Goes with its thread, and leaves the channel to the next one.
    """

    __slots__ = ("_channel", "_free")

    def __init__(self, channel: Channel, free: deque[Channel]) -> None:
        self._channel: Channel | None = channel
        self._free = free

    def leave(self) -> None:
        """
        Do without the channel: it was closed, or is not to be used again.
        """
        self._channel = None

    def __del__(self) -> None:
        channel = self._channel
        if channel is None:
            return
        if channel.busy or channel.contexts:
            channel.close()
        else:
            self._free.append(channel)


class Link:
    """
    This process's way to one server.

    Args:
        address: The path of the server's socket.
        secret: What it wants to see proved.
        server: The server, where this is its own process.
    """

    def __init__(
        self, address: str, secret: bytes, server: LocalServer | None = None
    ) -> None:
        self.address = address
        self.secret = secret
        self.server = server
        #: Set once the server closed in this very process.
        self.ended = False
        #: Makes a proxy of a reference; given by the module that has the class.
        self.make_proxy: Callable[[Link, ObjectRef], Any]
        self.methods: dict[int, set[str]] = {}
        self._reset()

    def _reset(self) -> None:
        self.thread = _Thread()
        self.client = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._channels: weakref.WeakSet[Channel] = weakref.WeakSet()
        self._free: deque[Channel] = deque()
        self._dropped: SimpleQueue[int] = SimpleQueue()
        self._releaser: threading.Thread | None = None
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
                with contextlib.suppress(OverflowError, UnicodeEncodeError):
                    return self.request((EXECUTE, (idx, method, args, {})), timeout)
        return self.send(EXECUTE, [idx, method, list(args), dict(kwargs or {})], timeout)

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
        channel = self.channel()
        return self._ask(channel, (opcode, wrapped), buffers, timeout)

    def desk(self, word: str, *args: Any, timeout: float | None = None) -> Any:
        """
        Say a control word to the server itself.
        """
        if self.server is not None:
            return self.server.local_desk(word, args)
        return self.request((EXECUTE, (DESK, word, args, {})), timeout)

    def request(self, message: Any, timeout: float | None = None) -> Any:
        """
        Send a request whose values are plain, and give the answer's value.

        Args:
            message: Opcode and payload.
            timeout: Seconds to wait, or None.

        Raises:
            OverflowError, UnicodeEncodeError: A value is none that msgpack knows;
                nothing was sent.
            ProxyError: Something went wrong on the way.
            BaseException: Whatever the object raised.
        """
        channel = self.thread.channel
        if channel is None or channel.busy:
            channel = self.channel()
        return self._ask(channel, message, (), timeout)

    def _ask(
        self,
        channel: Channel,
        message: Any,
        buffers: Sequence[Any],
        timeout: float | None,
    ) -> Any:
        data = encode(message)
        try:
            data, back = channel.call(data, buffers, timeout)
        except BaseException as error:
            self._give_up(channel, error)
            raise
        if back:
            self.thread.buffers = back
        try:
            _, (_, value, error) = self._decode(data)
        except (ValueError, TypeError) as broken:
            if isinstance(broken, ProxyError):
                raise
            raise DataDecodeError(
                f"{self.who} answered with {len(data)} bytes that are no frame: {broken}."
            ) from broken
        finally:
            if back:
                self.thread.buffers = ()
        if error is not None:
            raise error
        return value

    # -- with blocks ---------------------------------------------------------------

    def enter(self, proxy: Any, idx: int) -> Any:
        """
        Enter an object's own context manager.

        The lane is kept until the block is left: the server ties the block to it, and
        leaves it by itself when the lane ends.
        """
        if self.server is not None:
            value = self.server.local_call(idx, "__enter__", (), {})
        else:
            channel = self.channel()
            message = (EXECUTE, (idx, "__enter__", (), {}))
            value = self._ask(channel, message, (), None)
            channel.contexts += 1
            self.thread.entered.setdefault(idx, []).append(channel)
        return proxy if type(value) is MethodMark else value

    def leave(self, idx: int, kind: Any, error: BaseException | None) -> bool:
        """
        Leave an object's own context manager, where it was entered.

        Returns:
            True when the object swallowed the exception.
        """
        if self.server is not None:
            trace = None if error is None else error.__traceback__
            args = (kind, error, trace)
            return bool(self.server.local_call(idx, "__exit__", args, {}))
        entered = self.thread.entered[idx]
        channel = entered.pop()
        if not entered:
            del self.thread.entered[idx]
        try:
            channel.settle(None)
            raised = (None if error is None else pack_fault(error, self._reduce, ""),)
            payload = wrap_payload([idx, "__exit__", list(raised), {}], self._reduce)
            return bool(self._ask(channel, (EXECUTE, payload), (), None))
        finally:
            channel.contexts -= 1
            if channel is not self.thread.channel and not channel.contexts:
                channel.close()

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
                f"{self.who} was closed in this process. Share the object again."
            )
        try:
            channel = self._free.pop()
        except IndexError:
            channel = self._connect()
        if thread.channel is None:
            # A call inside another (in a signal handler) leaves the seat as it is.
            thread.channel = channel
            thread.seat = _Seat(channel, self._free)
        return channel

    def _connect(self) -> Channel:
        hello = Hello(
            PROTOCOL_VERSION,
            self.client,
            os.getpid(),
            multiprocessing.current_process().name,
            threading.current_thread().name,
        )
        channel = Channel(connect(self.address, self.secret, hello), self.who)
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
            channel.close()
            thread.channel = None
            if thread.seat is not None:
                thread.seat.leave()
                thread.seat = None
        while self._free:
            with contextlib.suppress(IndexError):
                self._free.pop().close()

    # -- references ----------------------------------------------------------------

    def _reduce(self, value: Any) -> Any:
        token = getattr(type(value), "_duck_token", None)
        if token is not None:
            token = token(value, self)
            if token is not None:
                return resolve, (token,)
        return reduce_main_only(value)

    def _resolve(self, token: Any) -> Any:
        return self.make_proxy(self, ObjectRef(*token))

    def _extension(self, code: int, data: memoryview) -> Any:
        if code == REF:
            return self.make_proxy(self, decode_ref(data))
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
        if self.server is None and self._releaser is None:
            with self._lock:
                if self._releaser is None:
                    self._releaser = threading.Thread(
                        target=_release_dropped,
                        args=(self, self._dropped),
                        name="duck-release",
                        daemon=True,
                    )
                    self._releaser.start()

    def drop(self, idx: int) -> None:
        """
        Note that a proxy of a chained object went; safe in ``__del__``.
        """
        if self.server is not None:
            self.server.local_drop(idx)
        else:
            # SimpleQueue.put may be called from a destructor; most others may not.
            self._dropped.put(idx)

    def __repr__(self) -> str:
        where = "here" if self.server is not None else f"{len(self._channels)} channels"
        return f"<Link to {self.address}, {where}>"


def _release_dropped(link: Link, dropped: SimpleQueue[int]) -> None:
    """
    Report dropped proxies together: one call for all of a short while.
    """
    pause = threading.Event()
    while True:
        numbers = [dropped.get()]
        pause.wait(RELEASE_EVERY_S)
        while not dropped.empty():
            numbers.append(dropped.get())
        for start in range(0, len(numbers), RELEASE_AT_ONCE):
            try:
                link.desk("release", *numbers[start : start + RELEASE_AT_ONCE])
            except ProxyError:
                return  # the server is gone, and all that it held with it


def link_to(address: str, secret: bytes) -> Link:
    """
    Give this process's link to the server at an address.
    """
    with _links_lock:
        link = _links.get(address)
        if link is None:
            link = _links[address] = Link(address, secret)
        return link


def link_here(address: str, secret: bytes, server: LocalServer) -> Link:
    """
    Make the link of a server's own process.
    """
    with _links_lock:
        link = _links[address] = Link(address, secret, server)
        return link


def end_here(link: Link) -> None:
    """
    Note that the server of this process has closed.
    """
    with _links_lock:
        _links.pop(link.address, None)
    link.server = None
    link.ended = True


def _after_fork_in_child() -> None:
    global _links_lock
    _links_lock = threading.Lock()
    for link in _links.values():
        link.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
