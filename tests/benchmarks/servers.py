"""
What the process of a server does in a benchmark.
"""

from __future__ import annotations

import resource
import statistics
import time
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duck_jupyter.proxy import ProxyServer
from duck_jupyter.server import server as server_module
from duck_jupyter.server.serving import Serving
from duck_jupyter.transport.lanes import (
    LENGTH,
    NEEDS_FENCE,
    REPLIED,
    STATE,
    TAKEN,
)

from .workloads import Target

if TYPE_CHECKING:
    from duck_jupyter.objects.table import Entry
    from duck_jupyter.server.connections import Connection

__all__ = ["compute", "cpu_seconds", "serve", "share_many"]

LOOPS_PER_READING = 1000


class Uncounted(Serving):
    """
    Answers as its base does, and counts nothing.
    """

    def _finish(
        self,
        caller: Connection,
        opcode: int,
        payload: Any,
        entry: Entry | None,
        size_in: int,
    ) -> None:
        words = caller.words
        state = words[STATE]
        data, buffers = self._dispatcher.answer(opcode, payload, entry, caller)
        size_out = len(data)
        if buffers or size_out > caller.bufsize or NEEDS_FENCE:
            self._reply(caller, data, buffers)
        else:
            words[LENGTH] = size_out
            caller.map[4 : size_out + 4] = data
            words[STATE] = state + REPLIED - TAKEN
        caller.payload = None
        self._hand_back(caller)


def start(server: ProxyServer) -> ProxyServer:
    """
    Run a server until its process ends.
    """
    server.run()
    Finalize(server, server.close, exitpriority=10)
    return server


def serve(numbers: int, counted: bool = True) -> tuple[Any, Any]:
    """
    Share a target and a list of numbers.

    Args:
        numbers: How many.
        counted: The server keeps its counters.

    Returns:
        A proxy of each.
    """
    if not counted:
        # For good: this process has no other server.
        vars(server_module)["Serving"] = Uncounted
    server = start(ProxyServer())
    return server.create_proxy(Target()), server.create_proxy(list(range(numbers)))


def cpu_seconds() -> float:
    """
    Give the processor time of this process so far.
    """
    return time.process_time()


def compute(seconds: float) -> float:
    """
    Run a loop of pure Python.

    Returns:
        Rounds of it a second.
    """
    began = now = time.perf_counter()
    rounds = total = 0
    while now - began < seconds:
        for i in range(LOOPS_PER_READING):
            total += i
        rounds += 1
        now = time.perf_counter()
    return rounds / (now - began)


def share_many(count: int, timed: int, limit: int) -> tuple[int, int, float]:
    """
    Share objects under a limit of open files.

    Args:
        count: How many are there in the end.
        timed: How many more are shared one by one.
        limit: What ``ulimit -n`` would be.

    Returns:
        Descriptors with one shared object, descriptors with all of them, and the
        median of the microseconds for one more.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    server = start(ProxyServer())
    proxies = [server.create_proxy(Target())]
    with_one = open_descriptors()
    proxies += [server.create_proxy(Target()) for _ in range(count - 1)]
    times = []
    for _ in range(timed):
        target = Target()
        began = time.perf_counter_ns()
        proxies.append(server.create_proxy(target))
        times.append(time.perf_counter_ns() - began)
    return with_one, open_descriptors(), statistics.median(times) / 1e3


def open_descriptors() -> int:
    """
    Count the descriptors that this process has open.
    """
    return len(list(Path("/proc/self/fd").iterdir()))
