"""
Which processes are, and were, connected; and how the latter ended.
"""

from __future__ import annotations

import multiprocessing.process
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from .counts import add_counts, calls_in, fresh_counts, sum_of
from .exits import end_of
from .rows import EndedRow

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["WorkerLog"]

ENDS_KEPT = 100


class Ended(NamedTuple):
    """
    An end, and what finds out more of it.
    """

    end: EndedRow
    client: str
    #: What multiprocessing knows of the process, until its exit code is known.
    record: dict[str, Any] | None


class Past(NamedTuple):
    """
    What those connections of a process did that have ended.
    """

    counts: list[int]
    #: Seconds that they waited for answers, and that they lasted.
    waited: float
    connected: float


class WorkerLog:
    """
    The processes that were connected, the last hundred of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        self._counts: dict[str, list[int]] = {}
        self._times: dict[str, tuple[float, float]] = {}
        #: What multiprocessing knows of those that it has started.
        self._records: dict[str, dict[str, Any]] = {}
        self._ended: deque[Ended] = deque(maxlen=ENDS_KEPT)

    def came(self, connection: Connection) -> None:
        """
        Note a client thread.
        """
        with self._lock:
            self._since.setdefault(connection.hello.client, connection.since)
            self._find_record(connection)

    def count(self, connection: Connection) -> dict[int, list[int]]:
        """
        Count the calls of a client thread that is gone, before or after `went`.

        Returns:
            What is counted now, by object.
        """
        tallies, client = connection.tally.take(), connection.hello.client
        with self._lock:
            if client in self._since:
                counts = self._counts.setdefault(client, fresh_counts())
                for tally in tallies.values():
                    add_counts(counts, tally)
                return tallies
            for i, ended in reversed(list(enumerate(self._ended))):
                if ended.client == client:
                    calls = ended.end.calls + calls_in(sum_of(tallies.values()))
                    end = replace(ended.end, calls=calls)
                    self._ended[i] = ended._replace(end=end)
                    break
        return tallies

    def went(self, connection: Connection, *, last: bool) -> None:
        """
        Note that a client thread has gone.

        Args:
            connection: The client thread.
            last: It was the last one of its process.
        """
        hello = connection.hello
        with self._lock:
            self._find_record(connection)
            if not last:
                if connection.counts and not connection.tidies:
                    now = time.time()
                    waited, connected = self._times.get(hello.client, (0.0, 0.0))
                    waited += connection.waited_before(now)
                    self._times[hello.client] = (
                        waited,
                        connected + now - connection.since,
                    )
                return
            self._times.pop(hello.client, None)
            counts = self._counts.pop(hello.client, fresh_counts())
            since = self._since.pop(hello.client, connection.since)
            record = self._records.pop(hello.client, None)
            end = EndedRow(
                hello.pid,
                hello.process_name,
                since,
                time.time(),
                None,
                *end_of(None),
                calls_in(counts),
            )
            self._ended.append(Ended(end, hello.client, record))

    def _find_record(self, connection: Connection) -> None:
        client = connection.hello.client
        if client not in self._records:
            record = _record_of(connection.hello.pid)
            if record is not None:
                self._records[client] = record

    def since(self, client: str, default: float) -> float:
        """
        Say when a process first connected, in seconds since the epoch.
        """
        with self._lock:
            return self._since.get(client, default)

    def past_of(self, client: str) -> Past:
        """
        Tell what the ended connections of a process did.
        """
        with self._lock:
            counts = list(self._counts.get(client) or fresh_counts())
            return Past(counts, *self._times.get(client, (0.0, 0.0)))

    def ended(self) -> tuple[EndedRow, ...]:
        """
        Give the processes that have gone, the last one last.
        """
        with self._lock:
            for i, ended in enumerate(self._ended):
                if ended.end.exit_code is None:
                    code = _exit_code_of(ended.end.pid, ended.record)
                    if code is None:
                        continue
                    how, words = end_of(code)
                    end = replace(ended.end, exit_code=code, how=how, words=words)
                    self._ended[i] = ended._replace(end=end, record=None)
            return tuple(ended.end for ended in self._ended)


def _record_of(pid: int) -> dict[str, Any] | None:
    """
    Find what multiprocessing knows of a process.

    A pool waits for its processes the moment they end, and throws them away. What is
    kept here outlives them, and keeps none of their descriptors open.
    """
    # Public ways to it would wait for processes that have ended.
    for process in list(multiprocessing.process._children):  # type: ignore[attr-defined]
        popen = getattr(process, "_popen", None)
        if popen is not None and popen.pid == pid:
            record: dict[str, Any] = vars(popen)
            return record
    return None


def process_name(pid: int) -> str:
    """
    Give the name of a process that multiprocessing has started, or say which it is.
    """
    for process in list(multiprocessing.process._children):  # type: ignore[attr-defined]
        popen = getattr(process, "_popen", None)
        if popen is not None and popen.pid == pid:
            name: str = process.name
            return name
    return f"process {pid}"


def _exit_code_of(pid: int, record: dict[str, Any] | None) -> int | None:
    """
    Say how a process ended, without taking that from the code that started it.

    Returns:
        None where it has not ended, or only that code can know.
    """
    if record is not None and record.get("returncode") is not None:
        code: int = record["returncode"]
        return code
    if not hasattr(os, "waitid"):
        return None
    try:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
