"""
Reports to the server what this process no longer holds.

These are chained objects whose proxies were dropped, and blocks that no thread will
leave.
"""

from __future__ import annotations

import _thread
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

from ..errors import ProxyError
from .held_proxies import Held, HeldProxies

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stream_channel import AnyChannel

__all__ = ["Releaser"]

#: Dropped proxies are reported together, after this many seconds. A block is reported
#: at once, because other threads may wait for it.
RELEASE_EVERY_S = 0.05
RELEASE_AT_ONCE = 500
#: Not the number of a chained object; the numbers of blocks are negative here.
END = 0


class Releaser:
    """
    Sends the reports from its own thread.

    A destructor must not wait, and signal handlers do not run in this thread.

    Args:
        connect: Makes a channel.
        adopt: Makes a channel belong to the calling thread.
        report: Sends a request with numbers to the server; raises ProxyError if the
            server has ended.
    """

    def __init__(
        self,
        connect: Callable[[], AnyChannel],
        adopt: Callable[[AnyChannel], object],
        report: Callable[..., object],
    ) -> None:
        self._connect = connect
        self._adopt = adopt
        self._report = report
        # A destructor may call SimpleQueue.put; it may call few other methods.
        self._dropped: SimpleQueue[int | Held] = SimpleQueue()
        self.held: HeldProxies = HeldProxies(self._dropped.put)
        self._running = threading.Lock()
        self._started = False
        self._channel: AnyChannel | None = None

    def start(self) -> None:
        """
        Prepare for `drop`. Repeated calls do nothing.

        From here on the process stays connected: the server releases what a process
        holds when its last channel closes.

        Raises:
            KernelGone: The server ended.
        """
        if self._started:
            return
        if self._channel is None:
            channel = self._connect()
            channel.introduce()  # there is no request to send yet
            self._channel = channel
        # A bare thread: an interrupt inside of Thread.start() would break it.
        _thread.start_new_thread(self._run_once, (self._channel,))
        # A call that comes before this line starts another thread, which ends at once.
        self._started = True

    def drop(self, idx: int) -> None:
        """
        Note that the object with a number is no longer used; safe in ``__del__``.
        """
        self._dropped.put(idx)

    def end_block(self, number: int) -> None:
        """
        Note that no thread will leave a block; safe in ``__del__``.
        """
        self._dropped.put(-number)

    def stop(self) -> None:
        """
        End the thread: there is no server to report to.
        """
        self._channel = None
        self._dropped.put(END)

    def _run_once(self, channel: AnyChannel) -> None:
        if self._running.acquire(blocking=False):
            self._adopt(channel)
            self._run(channel)

    def _begin_again(self, numbers: list[int | None]) -> None:
        """
        Let the next `start` connect again, and report what could not be reported.
        """
        for number in numbers:
            if number is not None:
                self._dropped.put(number)
        self._channel = None
        self._running.release()
        self._started = False

    def _run(self, channel: AnyChannel) -> None:
        pause = threading.Event()
        while True:
            dropped = [self._dropped.get()]
            if isinstance(dropped[0], Held) or dropped[0] > 0:
                pause.wait(RELEASE_EVERY_S)
                while not self._dropped.empty():
                    dropped.append(self._dropped.get())
            numbers = [self._number_of(one) for one in dropped]
            if END in numbers:
                return
            try:
                self._tell([number for number in numbers if number is not None])
            except ProxyError:
                # The server has ended, and everything that it held with it. On another
                # host, the network may have failed, and the server may be there again.
                if channel.is_stream:
                    self._begin_again(numbers)
                return

    def _number_of(self, dropped: int | Held) -> int | None:
        return self.held.take(dropped) if isinstance(dropped, Held) else dropped

    def _tell(self, numbers: list[int]) -> None:
        blocks = [-number for number in numbers if number < 0]
        if blocks:
            self._report("end", *blocks)
        objects = [number for number in numbers if number > 0]
        for start in range(0, len(objects), RELEASE_AT_ONCE):
            self._report("release", *objects[start : start + RELEASE_AT_ONCE])
