"""
The workers of a Dask cluster, as the monitor shows them, and how they ended.
"""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from ..client.other_hosts import host_mark
from ..stats.exits import End
from ..transport.identity import name_of_worker
from . import dask_worker
from .dask_asking import ANSWER_S, ask_workers
from .dask_scheduler import OVER_MEMORY, SAID_BYE
from .engine import EngineWorker
from .members import LEFT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Listing", "end_in"]

#: Seconds between two questions; Dask's workers tell the scheduler as often.
AGAIN_S = 1.0
#: What the scheduler calls the tasks of a worker that wait there.
WAITING = ("waiting", "fetch", "flight", "ready", "constrained")
#: A process that has not said yet which it is.
UNKNOWN = (0, "")
RUNNING = ("executing", "long-running")
#: Why the scheduler removes a worker, and how that worker has ended.
ENDS = {
    OVER_MEMORY: End("killed", "killed by its nanny: over its memory limit"),
    SAID_BYE: End("ended", "closed"),
    "retire-workers": End("ended", "retired"),
    "client-restart": End("ended", "restarted"),
    "client-restart-workers": End("ended", "restarted"),
    "check-worker-ttl": End("gone", "silent for too long"),
    "handle-worker-cleanup": End("gone", "connection lost"),
}


def end_in(message: Mapping[str, Any]) -> End:
    """
    Return how a worker ended, from the message that it left.
    """
    return ENDS.get(message.get("why", ""), LEFT)


class Listing:
    """
    What the scheduler says of its workers. Any thread may call it.

    Questions are sent by a thread of its own, and only when somebody looks.

    Args:
        client: The client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._asking: Future[None] | None = None
        #: Done when new workers have said which processes they are.
        self._identifying: Future[None] | None = None
        self._asked_at = float("-inf")
        self._workers: dict[str, dict[str, Any]] = {}
        #: Those that have left since the last question was sent.
        self._left: set[str] = set()
        #: The number of each worker's process on its host, and the mark of the host.
        self._processes: dict[str, tuple[int, str]] = {}
        self._is_open = False
        self.dashboard: str = ""

    def open(self) -> None:
        """
        Begin to ask.
        """
        with self._lock:
            self._is_open = True
            self._asked_at = float("-inf")
        self.look()

    def look(self, within_s: float = 0.0) -> list[EngineWorker]:
        """
        Return the workers, and ask for news if the last ones are old.

        Args:
            within_s: For how many seconds at most to wait for the news.
        """
        with self._lock:
            asking, now = self._asking, time.monotonic()
            is_due = now > self._asked_at + AGAIN_S
            if self._is_open and is_due and (asking is None or asking.done()):
                self._asked_at = now
                self._pool = self._pool or ThreadPoolExecutor(2, "duck-dask-look")
                asking = self._asking = self._pool.submit(self._ask, self._pool)
        if asking is not None and within_s > 0:
            wait([asking], within_s)
            identifying = self._identifying
            if identifying is not None:
                wait([identifying], now + within_s - time.monotonic())
        return [
            self._worker(address, facts)
            for address, facts in list(self._workers.items())
        ]

    def _ask(self, pool: ThreadPoolExecutor) -> None:
        client = self._client
        # The client or its scheduler may be closed at any moment.
        with contextlib.suppress(Exception):
            self._left.clear()
            info = client.sync(client.scheduler.identity, callback_timeout=ANSWER_S)
            found = dict(info["workers"])
            with self._lock:
                if self._pool is not pool:
                    return  # it was closed meanwhile
                # The answer may be older than the word of a worker that left.
                for address in self._left:
                    found.pop(address, None)
                self._workers = found
            with contextlib.suppress(KeyError):  # it has none
                self.dashboard = client.dashboard_link or ""
            new = [each for each in self._workers if each not in self._processes]
            if new:
                self._processes |= dict.fromkeys(new, UNKNOWN)
                # Not here: it waits for the slowest of them.
                self._identifying = pool.submit(self._ask_workers, new)

    def _ask_workers(self, workers: list[str]) -> None:
        """
        Ask workers which processes they are; one that is silent is asked again later.
        """
        with contextlib.suppress(Exception):
            self._processes |= ask_workers(
                self._client, dask_worker.process_here, workers
            )
        for worker in workers:
            if self._processes.get(worker) == UNKNOWN:
                del self._processes[worker]

    def drop(self, address: str) -> None:
        """
        Forget a worker that has left.
        """
        with self._lock:
            self._left.add(address)
            self._workers = {k: v for k, v in self._workers.items() if k != address}
            self._processes.pop(address, None)

    def _worker(self, address: str, facts: Mapping[str, Any]) -> EngineWorker:
        metrics = facts.get("metrics") or {}
        counts: dict[str, int] | None = metrics.get("task_counts")
        pid, mark = self._processes.get(address, UNKNOWN)

        def count(states: tuple[str, ...]) -> int | None:
            if counts is None:
                return None
            return sum(counts.get(state, 0) for state in states)

        return EngineWorker(
            address,
            name_of_worker(address, facts.get("name", address)),
            pid,
            metrics.get("memory", 0),
            facts.get("status", ""),
            facts.get("memory_limit") or 0,
            count(RUNNING),
            count(WAITING),
            mark == host_mark(),
        )

    def close(self) -> None:
        """
        Ask no more. Repeated calls do nothing.
        """
        with self._lock:
            pool, self._pool = self._pool, None
            self._asking = self._identifying = None
            self._workers, self._processes = {}, {}
            self._is_open, self.dashboard = False, ""
        if pool is not None:
            pool.shutdown(wait=False)
