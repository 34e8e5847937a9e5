"""
Exchanges: a request over a channel of the calling thread, and its answer.

A call takes an idle channel out of its thread's list, or makes one, and puts it back
after it has read the whole answer. So a nested call, from a signal handler or a
destructor, has its own channel from its first step. If a call is cut short at any
moment, the list has no channel for which an answer may still arrive.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import threading
import weakref
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from msgspec import MsgspecError
from msgspec.msgpack import Decoder

from ..errors import (
    DataDecodeError,
    DataTooBigError,
    HandshakeError,
    KernelGone,
    ProxyTimeout,
)
from ..transport.lanes import STATE
from ..transport.rendezvous import connect
from .channel import Channel
from .orphans import end_if_orphaned
from .other_hosts import Way, on_other_host
from .thread_state import Arrival, ThreadState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .stream_channel import AnyChannel

__all__ = ["Exchanges"]

#: Seconds that a thread waits for a lane with a larger buffer.
WIDEN_S = 1.0
#: Opcode; number of the object, value, fault.
Answer = tuple[int, tuple[int, Any, Any]]


class Exchanges:
    """
    The channels of this process to one server.

    Args:
        address: The path of the server's socket.
        secret: The secret that proves to the server that this process was given a
            proxy.
    """

    def __init__(self, address: str, secret: bytes) -> None:
        self.address = address
        self.secret = secret
        #: Whether the server in this process was closed.
        self.ended = False
        #: Whether the server is on another host.
        self.is_elsewhere: bool = False
        #: The mark of the server's host, if a proxy has brought it.
        self.mark: str = ""
        #: Whether the server has held something for this process, such as a lock.
        self.has_held: bool = False
        #: Where the server listens for other hosts.
        self.ways: tuple[Way, ...] = ()
        #: Fetches an object by its number from another host, writable or not.
        self.fetch_elsewhere: Callable[[int, bool], Any] | None = None
        #: Numbers of threads and of blocks. The count continues in a child of fork, so
        #: no number of the child equals one that it inherited.
        self.numbers: itertools.count[int] = itertools.count(1)
        self._start()

    def _start(self) -> None:
        self._begin_threads()
        self.client: str = secrets.token_hex(8)
        self._channels: weakref.WeakSet[AnyChannel] = weakref.WeakSet()
        self._decode = Decoder(Answer, ext_hook=self._extension).decode

    def _begin_threads(self) -> None:
        """
        Forget the channels of all threads.
        """
        self.thread: ThreadState = ThreadState(self.numbers)
        # Looked up by each call, without the cost of the hook of `ThreadState`.
        self._local = threading.local()

    def _extension(self, code: int, data: memoryview) -> Any:
        """
        Return the value of an extension of a frame.
        """
        raise NotImplementedError

    def hold(self) -> None:
        """
        Stay connected as long as this process runs.
        """
        raise NotImplementedError

    def _exchange(
        self,
        data: bytes,
        buffers: Sequence[Any],
        timeout: float | None,
        looks: int = 0,
        began: float = 0.0,
    ) -> Any:
        try:
            idle = self._local.idle
        except AttributeError:
            idle = self._local.idle = self.thread.idle
        try:
            channel: AnyChannel | None = idle.pop()
        except IndexError:
            channel = None  # connect below, so that its errors have no context
        if channel is None:
            channel = self._connect()
        try:
            data, back = channel.call(data, buffers, timeout, looks, began)
            if channel.granted:
                return self._accept(idle, channel, data, back)
            idle.append(channel)
        except BaseException as error:
            if (
                isinstance(error, KernelGone)
                and channel.was_too_late
                and not (channel.is_stream and self.has_held and not channel.moves)
            ):
                channel.close()
                return self._exchange(data, buffers, timeout, looks, began)
            self._give_up(idle, channel, error)
            if channel.is_stream and channel.is_of_write(error):
                raise channel.unsent(error) from error
            raise
        if back:
            value, fault = self._read(data, back)
        else:
            # `_read`, inlined for the common case.
            try:
                _, (_, value, fault) = self._decode(data)
            except MsgspecError as broken:
                raise self._no_frame(data, broken) from broken
        channel.ended = monotonic()
        if fault is not None:
            raise fault
        return value

    def ask_briefly(self, data: bytes, within_s: float) -> Any:
        """
        Make an exchange for a display, which may fail.

        If the answer is late, the channel is kept and not closed: if it is the last one
        of this process, the server would take its end for the end of the process, and
        release what the process holds. Until that answer arrives, this thread makes no
        more exchanges in this way.

        Args:
            data: The request.
            within_s: Seconds to wait, for a connection and the answer together.

        Raises:
            ProxyTimeout: No answer came in time, or an earlier one has not arrived yet.
            ProxyError: The request failed.
            BaseException: Raised by the server.
        """
        latest = monotonic() + within_s
        thread = self.thread
        idle, late = thread.idle, thread.late
        if late is not None:
            if late.is_idle:
                idle.append(late)
            elif late.is_open:
                raise ProxyTimeout(
                    f"{self.who} has not answered the previous request yet. Call again "
                    "later."
                )
            thread.late = None
        channel = idle.pop() if idle else self._connect(within_s=within_s)
        try:
            left_s = max(latest - monotonic(), 0)
            data, buffers = channel.call(data, (), left_s)
            idle.append(channel)
        except ProxyTimeout:
            thread.late = channel
            raise
        except BaseException as error:
            self._give_up(idle, channel, error)
            raise
        value, fault = self._read(data, buffers)
        channel.ended = monotonic()
        if fault is not None:
            raise fault
        return value

    def _accept(
        self,
        idle: list[AnyChannel],
        channel: AnyChannel,
        data: bytes,
        buffers: Sequence[Any],
    ) -> Any:
        """
        Return the value of an answer, and acknowledge the answer at the end.

        If this is cut short, the answer is not acknowledged: the server takes back what
        it granted when the channel closes.
        """
        thread = self.thread
        # A nested call has an arrival of its own.
        before, arrival = thread.arrival, Arrival()
        try:
            thread.arrival = arrival
            value, _ = self._read(data, buffers)
        finally:
            thread.arrival = before
        # The server releases what this process holds when its last channel closes, so a
        # later call that is cut short must not close the last channel.
        self.hold()
        channel.ended = monotonic()
        idle.append(channel)
        channel.granted = False
        arrival.is_known = True
        # These are not function calls: no signal handler runs from here until this
        # thread is back in the code of the user.
        if channel.is_stream:
            channel.arrival = arrival
            receipt, channel.receipt = channel.receipt, b""
            channel.write[channel.number] = receipt
            return value
        channel.lane.words[STATE] = channel.sequence
        return value

    def _read(self, data: bytes, buffers: Sequence[Any]) -> tuple[Any, Any]:
        """
        Return the value and the fault of an answer, one of which is None.
        """
        thread = self.thread
        if buffers:
            # A nested call has buffers of its own.
            before, thread.buffers = thread.buffers, buffers
        try:
            _, (_, value, fault) = self._decode(data)
        except MsgspecError as broken:
            raise self._no_frame(data, broken) from broken
        finally:
            if buffers:
                thread.buffers = before
        return value, fault

    def _no_frame(self, data: bytes, broken: MsgspecError) -> DataDecodeError:
        return DataDecodeError(
            f"{self.who} answered with {len(data)} bytes that are not a valid frame: "
            f"{broken}."
        )

    def waited_here(self) -> float:
        """
        Give the seconds that this thread has waited for answers.
        """
        idle: Sequence[AnyChannel] = getattr(self._local, "idle", ())
        return sum(each.waited for each in list(idle))

    # -- channels ----------------------------------------------------------------

    @property
    def who(self) -> str:
        """
        The name of the server, for messages.
        """
        return f"The server at {self.address}"

    @property
    def max_message(self) -> int:
        """
        The largest message in bytes. A thread without a channel connects to learn it.

        Raises:
            KernelGone: The server ended.
        """
        # Leave the channel in the list: if it were taken out, an interrupt would close
        # it.
        for channel in reversed(self.thread.idle):
            return channel.max_message
        channel = self._connect()
        channel.introduce()
        self.thread.idle.append(channel)
        return channel.max_message

    def _connect(
        self,
        thread: int | None = None,
        *,
        within_s: float | None = None,
        bufsize: int = 0,
    ) -> AnyChannel:
        """
        Make a channel.

        Args:
            thread: The number of its thread; the calling thread by default.
            within_s: Seconds to wait, if less than the usual limit of a handshake.
            bufsize: Size of its buffer in bytes, if more than the server's default.

        Raises:
            KernelGone: The server ended.
            HandshakeError: The server is on another host, or does not accept this one.
            ProxyTimeout: It did not answer in time.
        """
        if self.ended and not self.is_elsewhere:
            raise KernelGone(
                f"{self.who} was closed. Share the object again and pass the new proxy."
            )
        number = self.thread.number if thread is None else thread
        called_at = monotonic()
        try:
            lane = connect(
                self.address, self.secret, self.client, number, within_s, bufsize
            )
        except (KernelGone, HandshakeError) as error:
            if self.is_elsewhere and self.ways:
                return self._connect_far(number, within_s)
            if self.is_elsewhere and isinstance(error, KernelGone):
                raise on_other_host(self.who) from error
            if isinstance(error, KernelGone):
                end_if_orphaned()
            raise
        channel = Channel(lane, self.who, WeakMethod(self._widen), called_at)
        self._channels.add(channel)
        return channel

    def _connect_far(self, thread: int, within_s: float | None) -> AnyChannel:
        """
        Make a channel to another host; as `_connect`.
        """
        from .ways import connect_far  # loads ssl, which no other worker needs

        channel = connect_far(self.ways, self.secret, self.client, thread, within_s)
        self._channels.add(channel)
        return channel

    def _widen(self, bufsize: int) -> Channel:
        """
        Make a channel for this thread that the server already knows.

        Args:
            bufsize: Size of its buffer in bytes.

        Raises:
            ProxyError: It cannot be made.
        """
        channel = self._connect(within_s=WIDEN_S, bufsize=bufsize)
        if channel.is_stream:
            channel.close()
            raise on_other_host(self.who)
        try:
            channel.wait_until_known(WIDEN_S)
        except BaseException:
            channel.close()
            raise
        return channel

    def _adopt(self, channel: AnyChannel) -> None:
        self.thread.idle.append(channel)

    @staticmethod
    def _give_up(
        idle: list[AnyChannel], channel: AnyChannel, error: BaseException
    ) -> None:
        """
        Close a channel whose exchange was cut short.
        """
        if isinstance(error, DataTooBigError) and channel.is_idle:
            channel.introduce()  # nothing was sent
            idle.append(channel)
            return
        with contextlib.suppress(ValueError):
            idle.remove(channel)
        channel.close()
        if isinstance(error, KernelGone):
            # The other channels lead to the same server.
            del idle[:]
            end_if_orphaned()

    def detach(self) -> None:
        """
        Close this thread's idle channels; the next call connects again.
        """
        idle = self.thread.idle
        while idle:
            with contextlib.suppress(IndexError):
                idle.pop().close()
