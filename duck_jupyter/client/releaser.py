"""
Telling the server what this process holds no longer.

Chained objects whose proxies went, and blocks that nobody leaves.
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

    from .channel import Channel

__all__ = ["Releaser"]

#: Proxies that were dropped are reported together, this many seconds later; others may
#: wait for a block, which is reported at once.
RELEASE_EVERY_S = 0.05
RELEASE_AT_ONCE = 500
#: The number of no chained object; the numbers of blocks are negative here.
END = 0


class Releaser:
    """
    Reports from a thread of its own.

    A destructor must not wait, and no signal handler runs there.

    Args:
        connect: Makes a channel.
        adopt: Gives a channel to the thread that calls it.
        report: Says a word with numbers to the server; raises ProxyError when the
            server is gone.
    """

    def __init__(
        self,
        connect: Callable[[], Channel],
        adopt: Callable[[Channel], object],
        report: Callable[..., object],
    ) -> None:
        self._connect = connect
        self._adopt = adopt
        self._report = report
        # SimpleQueue.put may be called from a destructor; most others may not.
        self._dropped: SimpleQueue[int | Held] = SimpleQueue()
        self.held: HeldProxies = HeldProxies(self._dropped.put)
        self._running = threading.Lock()
        self._started = False
        self._channel: Channel | None = None

    def start(self) -> None:
        """
        Be ready for `drop`; again is fine.

        From here on the process stays connected: the server forgets what a process
        holds when its last channel has gone.

        Raises:
            KernelGone: The server ended.
        """
        if self._started:
            return
        if self._channel is None:
            channel = self._connect()
            channel.lane.introduce()  # there is nothing to ask yet
            self._channel = channel
        # A bare thread: an interrupt inside of Thread.start() would break it.
        _thread.start_new_thread(self._run_once, (self._channel,))
        # A call that comes before this line starts another thread, which ends at once.
        self._started = True

    def drop(self, idx: int) -> None:
        """
        Note that the object of a number is used no more; safe in ``__del__``.
        """
        self._dropped.put(idx)

    def end_block(self, number: int) -> None:
        """
        Note that nobody leaves a block; safe in ``__del__``.
        """
        self._dropped.put(-number)

    def stop(self) -> None:
        """
        End the thread: there is nobody to report to.
        """
        self._channel = None
        self._dropped.put(END)

    def _run_once(self, channel: Channel) -> None:
        if self._running.acquire(blocking=False):
            self._adopt(channel)
            self._run()

    def _run(self) -> None:
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
                return  # the server is gone, and all that it held with it

    def _number_of(self, dropped: int | Held) -> int | None:
        return self.held.take(dropped) if isinstance(dropped, Held) else dropped

    def _tell(self, numbers: list[int]) -> None:
        blocks = [-number for number in numbers if number < 0]
        if blocks:
            self._report("end", *blocks)
        objects = [number for number in numbers if number > 0]
        for start in range(0, len(objects), RELEASE_AT_ONCE):
            self._report("release", *objects[start : start + RELEASE_AT_ONCE])
