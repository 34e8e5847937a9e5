"""
The fork server: its children start with SIGINT blocked, as forked and spawned ones do.

Children of the fork server do not inherit what the notebook blocks while it starts one
of them, but what the server blocks. So this module is preloaded by the server, and
blocks the signal there. A worker of a pool unblocks it once it has its handler (see
`starting`), and every other child at once.
"""

from __future__ import annotations

import functools
import signal
import sys
import threading
from multiprocessing import forkserver
from multiprocessing import process as mp_process
from typing import Any

from .worker import Start

__all__ = ["is_worker", "start_fork_server"]

_lock = threading.Lock()


def is_worker(process: Any) -> bool:
    """
    Return whether a process will be a pool's worker with our initializer.
    """
    return any(isinstance(arg, Start) for arg in getattr(process, "_args", ()))


def start_fork_server() -> None:
    """
    Start the fork server of this process, unless it runs; it preloads this module.
    """
    server: Any = forkserver._forkserver
    with _lock:
        before = server._preload_modules
        try:
            server._preload_modules = [__name__, *before]
            server.ensure_running()
        finally:
            server._preload_modules = before


def _block() -> None:
    before: Any = mp_process.BaseProcess._bootstrap  # type: ignore[attr-defined]

    @functools.wraps(before)
    def _bootstrap(process: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_worker(process):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return before(process, *args, **kwargs)

    mp_process.BaseProcess._bootstrap = _bootstrap  # type: ignore[attr-defined]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _is_preloaded() -> bool:
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code is forkserver.main.__code__:
            return True
    return False


if _is_preloaded():
    _block()
