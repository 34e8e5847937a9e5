"""
Which processes are, and were, connected; and how the latter ended.
"""

from __future__ import annotations

import multiprocessing.process
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from .counters import add_counts, fresh_counts, totals_of

if TYPE_CHECKING:
    from .callers import Caller

__all__ = ["WorkerEnd", "WorkerLog"]

ENDS_KEPT = 100


class WorkerEnd(NamedTuple):
    """
    A process that was connected and is no more.
    """

    pid: int
    process_name: str
    since: float
    ended: float
    #: Exit code, or the negative number of the signal; None where only the process
    #: that started it can know, and where it goes on without being connected.
    exit_code: int | None
    calls: int


class WorkerLog:
    """
    The processes that were connected, the last hundred of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        self._counts: dict[str, list[int]] = {}
        self._ended: deque[WorkerEnd] = deque(maxlen=ENDS_KEPT)

    def came(self, caller: Caller) -> None:
        """
        Note a client thread.
        """
        with self._lock:
            self._since.setdefault(caller.hello.client, caller.since)

    def went(self, caller: Caller, *, last: bool) -> None:
        """
        Note that a client thread has gone.

        Args:
            caller: The client thread.
            last: It was the last one of its process.
        """
        hello = caller.hello
        with self._lock:
            counts = self._counts.setdefault(hello.client, fresh_counts())
            for tally in caller.tally.counts().values():
                add_counts(counts, tally)
            if not last:
                return
            del self._counts[hello.client]
            since = self._since.pop(hello.client, caller.since)
            code = exit_code_of(hello.pid)
            calls = totals_of([counts]).calls
            self._ended.append(
                WorkerEnd(
                    hello.pid, hello.process_name, since, time.time(), code, calls
                )
            )

    def since(self, client: str, default: float) -> float:
        """
        Say when a process first connected, in seconds since the epoch.
        """
        with self._lock:
            return self._since.get(client, default)

    def counts_of_gone_threads(self, client: str) -> list[int]:
        """
        Give the counts of those threads of a process that have gone.
        """
        with self._lock:
            return list(self._counts.get(client) or fresh_counts())

    def ended(self) -> tuple[WorkerEnd, ...]:
        """
        Give the processes that have gone, the last one last.
        """
        with self._lock:
            for i, end in enumerate(self._ended):
                if end.exit_code is None:
                    self._ended[i] = end._replace(exit_code=exit_code_of(end.pid))
            return tuple(self._ended)


def exit_code_of(pid: int) -> int | None:
    """
    Say how a child of this process ended, without taking that from its parent code.

    Returns:
        None where it has not ended, is no child, or only its parent code can know.
    """
    if not hasattr(os, "waitid"):
        return None
    try:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return _code_that_was_taken(pid)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _code_that_was_taken(pid: int) -> int | None:
    # A pool waits for its processes the moment they end, and keeps what it learns.
    for process in list(getattr(multiprocessing.process, "_dangling", ())):
        popen = getattr(process, "_popen", None)
        if popen is not None and popen.pid == pid:
            code: int | None = popen.returncode
            return code
    return None
