"""
Waking: an Interrupt that comes while a cell runs is handled at once.

Python runs the handler of a signal when the main thread runs bytecode again. A wait of
that thread ends for a signal, unless the signal came just before the wait began, or to
another thread: then the handler runs after the wait, however long that is. And what a
handler schedules in an event loop, as ipykernel's does for a cell that awaits, runs
after the loop's next event.

So a thread reads which signals came (``signal.set_wakeup_fd``). It gives the loop an
event. If the handler of SIGINT has not run after a while, it sends the main thread a
signal that does nothing but to end a wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from typing import Any

__all__ = ["Waker"]

#: The signal that ends a wait. Nobody else uses the last one of the real-time signals.
NUDGE = signal.SIGRTMAX
#: Seconds after which it is sent, one after the other.
PAUSES_S = (0.02, 0.1, 0.5)
#: In the place of a signal's number: the thread is to end.
END = b"\0"


class Waker:
    """
    The thread. All methods but `_run` are called in the main thread.
    """

    def __init__(self) -> None:
        #: How often the handler of SIGINT has run.
        self.handled: int = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._writing = -1
        self._handler: Any = None

    @property
    def is_started(self) -> bool:
        """
        Whether there is the thread.
        """
        return self._thread is not None

    def begin(self) -> None:
        """
        Let the thread hear of signals, unless there is none, or somebody else does.
        """
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        if self._thread is None:
            return
        before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        if before != -1:
            signal.set_wakeup_fd(before)

    def end(self) -> None:
        """
        Let the thread hear of no more signals.
        """
        if self._thread is not None:
            before = signal.set_wakeup_fd(-1)
            if before not in {-1, self._writing}:
                signal.set_wakeup_fd(before)

    def close(self) -> None:
        """
        End the thread, and leave the signal as it was.
        """
        self.end()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        # Not by closing it: a forked child may have it open.
        with contextlib.suppress(BlockingIOError):
            os.write(self._writing, END)
        thread.join()
        os.close(self._writing)
        signal.signal(NUDGE, self._handler)

    def start(self) -> None:
        """
        Start the thread, and let it hear of signals.
        """
        reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._handler = signal.signal(NUDGE, _do_nothing)
        thread = threading.Thread(
            target=self._run, args=(reading,), daemon=True, name="duck-wake"
        )
        thread.start()
        self._thread = thread
        self.begin()

    def _run(self, reading: int) -> None:
        main, pause, handled = threading.main_thread(), threading.Event(), self.handled
        while END not in (numbers := os.read(reading, 4096)):
            if signal.SIGINT not in numbers:
                continue
            loop = self._loop
            if loop is not None:
                # It may be closed.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(int)
            for seconds in PAUSES_S:
                if self.handled != handled:
                    break
                pause.wait(seconds)
                if self.handled == handled:
                    signal.pthread_kill(main.ident or 0, NUDGE)
            handled = self.handled
        os.close(reading)


def _do_nothing(*_: object) -> None:
    pass
