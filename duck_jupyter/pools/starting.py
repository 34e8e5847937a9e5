"""
Starting: an Interrupt while a worker starts harms neither the worker nor its pool.

A worker that gets SIGINT before it has its handler would die, and break its executor.
So it starts with the signal blocked (sigprocmask(2)), which a child inherits under fork
and spawn, until `slots.enter` has set the handler. For workers of the fork server see
`fork_server`; those of a server that was started before this package are at risk for
some milliseconds.

A KeyboardInterrupt in the notebook after the fork, and before the pool has noted the
worker, would leave a worker that no pool knows. So it is delayed until the worker has
started, and this worker is ended then.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
from multiprocessing import process as mp_process
from typing import Any

from ..data.replacements import Replacements
from .fork_server import is_worker, start_fork_server
from .shield import shield

__all__ = ["Starting"]


class Starting:
    """
    Our replacement of ``Process.start``.
    """

    def __init__(self) -> None:
        self._replaced = Replacements()
        #: Whether the main thread is starting a worker, and whether SIGINT came then.
        self.is_busy: bool = False
        self.was_interrupted: bool = False

    def open(self) -> None:
        """
        Replace ``Process.start``.
        """
        before = mp_process.BaseProcess.start

        @functools.wraps(before)
        def start(process: Any) -> None:
            if _uses_fork_server(process):
                start_fork_server()
            if is_worker(process):
                self._start(before, process)
            else:
                before(process)

        self._replaced.put(mp_process.BaseProcess, "start", start)

    def close(self) -> None:
        """
        Restore ``Process.start``.
        """
        self._replaced.restore()

    def _start(self, before: Any, process: Any) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.is_busy = is_main
            before(process)
        finally:
            if is_main:
                self.is_busy = False
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            if is_main and self.was_interrupted:
                self.was_interrupted = False
                _interrupt(process)


def _interrupt(process: Any) -> None:
    """
    Handle an Interrupt that came while a worker was started.
    """
    if shield.depth:
        # The pool notes the worker before it is interrupted.
        shield.was_interrupted = True
        return
    if process.pid is not None:
        # A worker of the fork server may have ended. Processes of loky have no `kill`.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.join()
    signal.raise_signal(signal.SIGINT)


def _uses_fork_server(process: Any) -> bool:
    return getattr(process, "_start_method", None) == "forkserver"
