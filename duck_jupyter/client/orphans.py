"""
Ending pool workers whose kernel was killed.

A worker of a pool waits for its next task on a pipe. The worker and its siblings hold
the other end of the pipe as well. So if the process that made the pool is killed, they
wait for ever.
"""

from __future__ import annotations

import _thread
import multiprocessing
import os
import signal
import threading
from types import FunctionType

from ..memory.process_state import has_ended

__all__ = ["end_if_orphaned"]

#: Seconds for the task to handle the error, such as to save its results.
GRACE_S = 1.0
#: Seconds after which a process that ignores SIGTERM is killed.
TERM_S = 0.5
#: The modules that define the main functions of pool workers.
POOL_MODULES = frozenset(
    {
        "concurrent.futures.process",
        "joblib.externals.loky.process_executor",
        "loky.process_executor",
        "multiprocessing.pool",
    }
)

_ending = threading.Lock()


def end_if_orphaned() -> None:
    """
    End this process soon, if it is a pool worker and the owner of the pool has ended.
    """
    parent = multiprocessing.parent_process()
    process = multiprocessing.current_process()
    target = getattr(process, "_target", None)
    if not isinstance(target, FunctionType) or target.__module__ not in POOL_MODULES:
        return
    if parent is None or parent.pid is None:
        return
    if _ending.acquire(blocking=False):
        _thread.start_new_thread(_end, (parent.pid,))


def _end(parent: int) -> None:
    pause = threading.Event()
    pause.wait(GRACE_S)
    # Check after the pause: a process closes its sockets before it has ended.
    if not has_ended(parent):
        _ending.release()  # it only stopped its server
        return
    os.kill(os.getpid(), signal.SIGTERM)
    pause.wait(TERM_S)
    os._exit(os.EX_TEMPFAIL)
