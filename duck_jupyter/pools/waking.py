"""
Waking: a signal that comes while a cell runs wakes the kernel's event loop.

Python runs the handler of a signal when the main thread runs bytecode again. If that
thread was about to wait for events, this is after the next event. And what a handler
schedules, as ipykernel's does for a cell that awaits, runs after the next event, too. A
byte in a pipe is an event (``signal.set_wakeup_fd``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

__all__ = ["Waker"]


class Waker:
    """
    The pipe, and the loop that reads it. All of it is called in the main thread.
    """

    def __init__(self) -> None:
        self._ends: tuple[int, int] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """
        Let signals wake the loop, if one runs and nobody else has done so.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if loop is not self._loop:
            self.close()
            self._ends = reading, writing = os.pipe()
            os.set_blocking(reading, False)
            os.set_blocking(writing, False)
            loop.add_reader(reading, self._drain)
            self._loop = loop
        if self._ends is not None:
            # A cell that computes reads nothing: the pipe may be full.
            before = signal.set_wakeup_fd(self._ends[1], warn_on_full_buffer=False)
            if before != -1:
                signal.set_wakeup_fd(before)

    def end(self) -> None:
        """
        Wake the loop no more.
        """
        if self._ends is not None:
            before = signal.set_wakeup_fd(-1)
            if before not in {-1, self._ends[1]}:
                signal.set_wakeup_fd(before)

    def close(self) -> None:
        """
        Close the pipe.
        """
        self.end()
        loop, self._loop = self._loop, None
        ends, self._ends = self._ends, None
        if loop is not None and ends is not None:
            # The loop may be closed.
            with contextlib.suppress(RuntimeError):
                loop.remove_reader(ends[0])
        for end in ends or ():
            os.close(end)

    def _drain(self) -> None:
        if self._ends is not None:
            with contextlib.suppress(BlockingIOError):
                os.read(self._ends[0], 4096)
