"""
The processes that are connected, those that were, and how these ended.
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
from .exits import DISCONNECTED, end_of
from .worker_rows import EndedRow, cluster_worker

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["WorkerLog"]

ENDS_KEPT = 100


class Ended(NamedTuple):
    """
    A process that has disconnected, and the data to find its exit code.
    """

    end: EndedRow
    client: str
    #: Multiprocessing's record of the process, until its exit code is known.
    record: dict[str, Any] | None


class Past(NamedTuple):
    """
    The counts and the times of a process's closed connections.
    """

    counts: list[int]
    #: How long they waited for answers, and how long they lasted, in seconds.
    waited: float
    connected: float


class WorkerLog:
    """
    The connected processes, and the last hundred that have disconnected.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        self._counts: dict[str, list[int]] = {}
        self._times: dict[str, tuple[float, float]] = {}
        #: Multiprocessing's records of the processes that it has started.
        self._records: dict[str, dict[str, Any]] = {}
        self._ended: deque[Ended] = deque(maxlen=ENDS_KEPT)

    def came(self, connection: Connection) -> None:
        """
        Note a new connection.
        """
        with self._lock:
            self._since.setdefault(connection.hello.client, connection.since)
            self._find_record(connection)

    def count(self, connection: Connection) -> dict[int, list[int]]:
        """
        Count the calls of a closed connection, before or after `went`.

        Returns:
            The new counts, by object.
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
        Note that a connection was closed.

        Args:
            connection: The connection.
            last: Whether it was the last one of its process.
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
            cluster = cluster_worker(hello)
            end = EndedRow(
                hello.pid,
                hello.process_name,
                since,
                time.time(),
                None,
                *(end_of(None) if cluster is None else DISCONNECTED),
                calls_in(counts),
                cluster=cluster,
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
        Return when a process first connected, in seconds since the epoch.
        """
        with self._lock:
            return self._since.get(client, default)

    def past_of(self, client: str) -> Past:
        """
        Return the counts and the times of the closed connections of a process.
        """
        with self._lock:
            counts = list(self._counts.get(client) or fresh_counts())
            return Past(counts, *self._times.get(client, (0.0, 0.0)))

    def ended(self) -> tuple[EndedRow, ...]:
        """
        Return the processes that have disconnected, the newest last.
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
    Return multiprocessing's record of a process.

    A pool collects its processes as soon as they end, and drops them. The record
    outlives them, and keeps no descriptor open.
    """
    # The public functions would collect processes that have ended.
    for process in list(multiprocessing.process._children):  # type: ignore[attr-defined]
        popen = getattr(process, "_popen", None)
        if popen is not None and popen.pid == pid:
            record: dict[str, Any] = vars(popen)
            return record
    return None


def process_name(pid: int) -> str:
    """
    Return the name of a process that multiprocessing has started, or its number.
    """
    for process in list(multiprocessing.process._children):  # type: ignore[attr-defined]
        popen = getattr(process, "_popen", None)
        if popen is not None and popen.pid == pid:
            name: str = process.name
            return name
    return f"process {pid}"


def _exit_code_of(pid: int, record: dict[str, Any] | None) -> int | None:
    """
    Return the exit code of a process, which the code that started it can still collect.

    Returns:
        The code; None if the process has not ended, or if only that code can know.
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
