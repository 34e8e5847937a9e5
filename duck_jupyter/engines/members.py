"""
The workers of an engine: those that it lists, and those that have left.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from ..stats.cluster_joining import Departed, Member, is_of
from ..stats.exits import End
from ..stats.worker_rows import ClusterWorker
from ..transport.handshake import FIRST_FAR_PID
from ..transport.identity import split_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .engine import EngineWorker

__all__ = ["LEFT", "Members"]

#: How a worker ended of which its engine says no more.
LEFT = End("gone", "left the cluster")
ENDS_KEPT = 100
#: For so many seconds a list with a worker that has left may be older than its end.
STALE_S = 3.0

#: Above the numbers that a server gives to processes of other hosts.
_numbers = itertools.count(FIRST_FAR_PID << 6)


class Members:
    """
    The workers of one engine. Any thread may call it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By the engine's name for each.
        self._present: dict[str, Member] = {}
        self._departed: OrderedDict[str, Departed] = OrderedDict()

    def take(self, workers: Iterable[EngineWorker]) -> list[Member]:
        """
        Take the list of the engine.

        Returns:
            Its workers now.
        """
        with self._lock:
            before, stale = self._present, time.time() - STALE_S
            ended = {name: left.ended for name, left in self._departed.items()}
            self._present = {
                worker.name: _member(worker, before.get(worker.name))
                for worker in workers
                if ended.get(worker.name, stale) <= stale
            }
            for name, member in self._present.items():
                self._forget_end(name, member.facts.pid)
            for name in before.keys() - self._present.keys():
                self._note(name, before[name], LEFT)
            return list(self._present.values())

    def left(self, name: str, end: End = LEFT) -> None:
        """
        Note that a worker has left.

        Args:
            name: The engine's name for it.
            end: How it ended.
        """
        with self._lock:
            member = self._present.pop(name, None)
            if member is None and name in self._departed:
                # It was missing in a list before the engine said how it ended.
                member = self._departed[name].member
            self._note(name, member, end)

    def _forget_end(self, name: str, pid: int | None) -> None:
        """
        Forget the end of a worker that is back. Another process may have its address.
        """
        left = self._departed.get(name)
        if left is not None and is_of(left, pid):
            del self._departed[name]

    def _note(self, name: str, member: Member | None, end: End) -> None:
        self._departed[name] = Departed(member, time.time(), end)
        if len(self._departed) > ENDS_KEPT:
            self._departed.popitem(last=False)

    @property
    def departed(self) -> dict[str, Departed]:
        """
        The workers that have left, by the engine's name for them.
        """
        with self._lock:
            return dict(self._departed)

    def after_fork(self) -> None:
        """
        In a forked child, forget the workers, which belong to the parent.
        """
        self._lock = threading.Lock()
        self._present, self._departed = {}, OrderedDict()


def _member(worker: EngineWorker, before: Member | None) -> Member:
    is_process = worker.is_here and worker.pid not in (0, os.getpid())
    if is_process:
        number = worker.pid
    elif before is None or before.number < FIRST_FAR_PID:
        number = next(_numbers)
    else:
        number = before.number
    host, name = split_name(worker.label)
    return Member(
        number,
        time.time() if before is None else before.since,
        worker.label,
        worker.is_here,
        ClusterWorker(
            host,
            name,
            worker.pid or None,
            worker.name,
            worker.running,
            worker.waiting,
            worker.memory or None,
            worker.memory_limit or None,
            worker.state,
        ),
    )
