"""
The measurements; each gives rows of the table.
"""

from __future__ import annotations

import importlib.util
import statistics
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any

from tests.support.processes import run_python

from . import servers, workloads
from .fresh import measure_first_calls
from .station import Station
from .table import Row, beside, not_above, not_below

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .peers import Peer
    from .size import Size

__all__ = ["IDLE_WORKERS", "measure_all", "quantile", "together"]

CLIENTS = 4
IDLE_WORKERS = 8
WARM_CALLS = 300
#: Clients begin together, so much after the last one was told.
HEAD_START_S = 0.05
READS_PER_SECOND = 100
OPEN_FILES = 1024
TIMED_SHARES = 500
LOAD_EXT = """
import os, sys, time
os.environ["IPYTHONDIR"] = {folder!r}
import IPython
from traitlets.config import Config
from IPython.core.interactiveshell import InteractiveShell
config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
began = time.perf_counter()
shell.run_line_magic("load_ext", "duck_jupyter")
print(1e3 * (time.perf_counter() - began))
"""


def quantile(samples: Sequence[float], share: float) -> float:
    """
    Give the sample under which a share of them lies.
    """
    return sorted(samples)[int(share * (len(samples) - 1))]


def latency(
    client: Station,
    job: Callable[[Any, int], list[int]],
    sides: tuple[Any, Any],
    size: Size,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """
    Time single calls, by turns of ours and the peer's.

    Args:
        client: The one client.
        job: What it does.
        sides: Our proxy and the peer's.
        size: How often.

    Returns:
        For each side the median of the rounds' medians, and the 99th percentile of
        all samples, in microseconds.
    """
    counts = (size.calls, size.peer_calls)
    found: tuple[list[list[int]], list[list[int]]] = ([], [])
    for side in sides:
        client.run(job, side, WARM_CALLS)
    for _ in range(size.rounds):
        for i in (1, 0):
            found[i].append(client.run(job, sides[i], counts[i]))
    ours, peer = (
        (
            statistics.median(map(statistics.median, rounds)) / 1e3,
            quantile([sample for samples in rounds for sample in samples], 0.99) / 1e3,
        )
        for rounds in found
    )
    return ours, peer


def measure_latency(client: Station, target: Any, peer: Peer, size: Size) -> list[Row]:
    """
    Measure attribute reads and method calls of one client.
    """
    reads = latency(client, workloads.time_reads, (target, peer.namespace), size)
    calls = latency(client, workloads.time_calls, (target, peer.target), size)
    return [
        beside("attribute read, p50", "us", reads[0][0], reads[1][0], 12),
        beside("method call add(1, 2), p50", "us", calls[0][0], calls[1][0], 10),
        beside("attribute read, p99", "us", reads[0][1], reads[1][1], 1),
        beside("method call add(1, 2), p99", "us", calls[0][1], calls[1][1], 1),
    ]


def together(
    clients: Sequence[Station],
    job: Callable[[Any, float, float], float],
    target: Any,
    seconds: float,
) -> float:
    """
    Let clients work at the same time.

    Returns:
        What they did a second, in all.
    """
    start = time.monotonic() + HEAD_START_S
    for client in clients:
        client.start(job, target, start, seconds)
    return sum(float(client.result()) for client in clients)


def measure_together(
    clients: Sequence[Station], target: Any, peer: Peer, size: Size
) -> list[Row]:
    """
    Measure method calls of several clients at once.
    """
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(size.together_rounds):
        for i, side in ((1, peer.target), (0, target)):
            found[i].append(
                together(clients, workloads.count_calls, side, size.together_s)
            )
    ours, theirs = map(statistics.median, found)
    measure = f"calls in all, {len(clients)} clients"
    return [not_below(measure, "calls/s", ours, theirs, 4)]


def measure_iteration(
    client: Station, numbers: Any, peer: Peer, size: Size
) -> list[Row]:
    """
    Measure a loop over a list; the Manager's takes some ten seconds, so only once.
    """
    ours = [client.run(workloads.iterate, numbers) for _ in range(size.rounds)]
    theirs = client.run(workloads.iterate, peer.numbers)
    ours += [client.run(workloads.iterate, numbers) for _ in range(size.rounds)]
    measure = f"for x in proxy, list of {size.numbers:,} ints"
    median = statistics.median(ours)
    return [beside(measure, "ms", median * 1e3, theirs * 1e3, 20)]


def measure_idle(clients: Sequence[Station], size: Size) -> list[Row]:
    """
    Measure the processor time of a server whose workers do nothing.
    """
    with Station("idle-server") as server:
        target, _ = server.run(servers.serve, 0)
        for client in clients:
            client.run(workloads.read_once, target)
        # What follows a call has ended before the measurement begins.
        pause = threading.Event()
        pause.wait(0.1)
        before, began = server.run(servers.cpu_seconds), time.monotonic()
        pause.wait(size.idle_s)
        used = server.run(servers.cpu_seconds) - before
        share = 100 * used / (time.monotonic() - began)
    measure = f"idle server, {len(clients)} idle workers"
    return [not_above(measure, "% of a core", share, 0.5)]


def measure_busy(client: Station, size: Size) -> list[Row]:
    """
    Measure reads while the main thread of the server's process computes.
    """
    alone, disturbed, times = [], [], []
    with Station("busy-server") as server:
        target, _ = server.run(servers.serve, 0)
        client.run(workloads.time_reads, target, WARM_CALLS)
        for _ in range(size.busy_rounds):
            alone.append(server.run(servers.compute, size.busy_s))
            server.start(servers.compute, size.busy_s)
            times += client.run(
                workloads.read_paced, target, READS_PER_SECOND, size.busy_s
            )
            disturbed.append(server.result())
    slower = statistics.median(a / d - 1 for a, d in zip(alone, disturbed, strict=True))
    median = statistics.median(times) / 1e6
    what = f"kernel computing, {READS_PER_SECOND} reads/s"
    return [
        not_above(f"{what}: read, p50", "ms", median, 2),
        not_above(f"{what}: the loop slower by", "%", 100 * slower, 10),
    ]


def measure_sharing(size: Size) -> list[Row]:
    """
    Measure what one more shared object costs.
    """
    with Station("sharing-server") as server:
        one, many, median = server.run(
            servers.share_many, size.shared, TIMED_SHARES, OPEN_FILES
        )
    when = f"{size.shared:,} objects shared"
    reach = f"at most {one}, as with 1"
    return [
        not_above(f"one more, {when}", "us", median, 50),
        Row(f"{when}: open files", "descriptors", many, None, reach, many <= one),
    ]


def measure_counters(clients: Sequence[Station], size: Size) -> list[Row]:
    """
    Measure what the counters take, beside a server that counts nothing.
    """
    rows = []
    with Station("counting-server") as counting, Station("plain-server") as plain:
        sides = [counting.run(servers.serve, 0, True)[0]]
        sides.append(plain.run(servers.serve, 0, False)[0])
        for count in (1, 2):
            ratios = []
            for i in range(size.counters_rounds + 1):
                order = (0, 1) if i % 2 else (1, 0)
                rates = [0.0, 0.0]
                for side in order:
                    rates[side] = together(
                        clients[:count],
                        workloads.count_reads,
                        sides[side],
                        size.counters_s,
                    )
                ratios.append(rates[0] / rates[1])
            # The first round connects.
            cost = 100 * (1 - statistics.median(ratios[1:]))
            measure = f"counters' cost, {count} client{'s' * (count > 1)}"
            rows.append(not_above(measure, "% of reads/s", cost, 2))
    return rows


def measure_fresh(target: Any, peer: Peer, size: Size) -> list[Row]:
    """
    Measure the first call of a process.
    """
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(size.fresh):
        for times, side in zip(found, (target, peer.namespace), strict=True):
            with Station("fresh-client") as client:
                times.append(client.run(workloads.read_once, side))
    ours, theirs = map(statistics.median, found)
    return [Row("first read of a fresh worker", "us", ours, theirs)]


def measure_extension(size: Size) -> list[Row]:
    """
    Measure ``%load_ext duck_jupyter`` after ``import IPython``.
    """
    if importlib.util.find_spec("duck_jupyter.magics") is None:
        return [Row("%load_ext duck_jupyter", "ms", None)]
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(size.fresh):
            done = run_python(LOAD_EXT.format(folder=folder))
            if done.returncode:
                raise RuntimeError(f"%load_ext failed:\n{done.stderr}")
            times.append(float(done.stdout.split()[-1]))
    return [Row("%load_ext duck_jupyter", "ms", statistics.median(times))]


def measure_all(
    clients: Sequence[Station], ours: tuple[Any, Any], peer: Peer, size: Size
) -> list[Row]:
    """
    Measure everything.

    Args:
        clients: As many as the idle server is to have.
        ours: Our proxies of a target and of a list.
        peer: The peer's.
        size: How often.
    """
    target, numbers = ours
    return [
        *measure_latency(clients[0], target, peer, size),
        *measure_together(clients[:CLIENTS], target, peer, size),
        *measure_iteration(clients[0], numbers, peer, size),
        *measure_idle(clients, size),
        *measure_busy(clients[0], size),
        *measure_sharing(size),
        *measure_counters(clients, size),
        *measure_extension(size),
        *measure_fresh(target, peer, size),
        *measure_first_calls(target, peer, size.forked),
    ]
