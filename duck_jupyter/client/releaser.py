"""
Telling the server which chained objects this process no longer holds.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

from ..errors import ProxyError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Releaser"]

#: Proxies that were dropped are reported together, this many seconds later.
RELEASE_EVERY_S = 0.05
RELEASE_AT_ONCE = 500
#: The number of no chained object.
END = 0


class Releaser:
    """
    Reports dropped proxies from a thread of its own: a destructor must not wait.

    Args:
        report: Called with numbers; raises ProxyError when the server is gone.
    """

    def __init__(self, report: Callable[..., object]) -> None:
        self._report = report
        self._dropped: SimpleQueue[int] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = False
        self._present = threading.Event()

    def start(self) -> None:
        """
        Be ready for `drop`; again is fine.

        From here on the process stays connected: the server forgets what a process
        holds when its last channel has gone.
        """
        if self._present.is_set():
            return
        with self._lock:
            if not self._started:
                self._started = True
                threading.Thread(
                    target=self._run, name="duck-release", daemon=True
                ).start()
        self._present.wait()

    def drop(self, idx: int) -> None:
        """
        Note that a proxy went; safe in ``__del__``.
        """
        # SimpleQueue.put may be called from a destructor; most others may not.
        self._dropped.put(idx)

    def stop(self) -> None:
        """
        End the thread: there is nobody to report to.
        """
        self._dropped.put(END)

    def _run(self) -> None:
        pause = threading.Event()
        try:
            # This thread's own channel, which lasts as long as the process.
            self._report()
        except ProxyError:
            return
        finally:
            self._present.set()
        while True:
            numbers = [self._dropped.get()]
            pause.wait(RELEASE_EVERY_S)
            while not self._dropped.empty():
                numbers.append(self._dropped.get())
            if END in numbers:
                return
            try:
                for start in range(0, len(numbers), RELEASE_AT_ONCE):
                    self._report(*numbers[start : start + RELEASE_AT_ONCE])
            except ProxyError:
                return  # the server is gone, and all that it held with it
