"""
A cluster of Dask: ``python -m tests.benchmarks.cluster [--quick] [--json]``.

Other hosts are network namespaces of this machine, which only root makes. The peers are
a Dask actor in another worker, and ``client.scatter``. A row that does not hold is no
failure of the run: it says so in the table.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from distributed.security import Security

from duck_jupyter import share, shared
from duck_jupyter.session.api import own_session
from tests.support.clusters import dask_client
from tests.support.hosts import bridge, cluster, join, network

from . import clustertasks as tasks
from .command import run
from .measures import quantile
from .table import Row, beside, not_above, not_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import Client

__all__ = ["main"]

TASKS = 8
#: Threads of each of two workers.
THREADS = 4
HOSTS = 4
MBIT = 400
WARM_CALLS = 200


class Size(NamedTuple):
    """
    How often, and how large.
    """

    rounds: int
    #: Calls of ours and of the peer in a round.
    calls: int
    peer_calls: int
    #: Seconds for which threads call.
    round_s: float
    #: Bytes of a frame for workers of this host, and of an array for others.
    frame: int
    array: int


FULL = Size(5, 2000, 300, 3.0, 500_000_000, 50_000_000)
QUICK = Size(1, 100, 10, 0.2, 20_000_000, 2_000_000)


@contextmanager
def stopped() -> Iterator[None]:
    """
    Stop the server at the end, and release what was published.
    """
    try:
        yield
    finally:
        own_session().stop()


def measure_live(security: Any, size: Size) -> list[Row]:
    """
    Measure calls from two workers of another host.
    """
    kind = "plain TCP" if security is None else "TLS"
    with (
        tempfile.TemporaryDirectory() as folder,
        network(0) as net,
        cluster(Path(folder), security, net, workers=2) as (client, _, _),
        stopped(),
    ):
        share(tasks.Counter(), "counter", on=client, insecure=security is None)
        one, other = client.scheduler_info()["workers"]
        actor = client.submit(tasks.Counter, actor=True, workers=[other]).result()

        def time_on_one(job: Any, target: Any, calls: int) -> list[int]:
            found: list[int] = client.submit(
                job, target, WARM_CALLS, calls, workers=[one], pure=False
            ).result()
            return found

        def count_on_both(job: Any, target: Any) -> float:
            futures = [
                client.submit(
                    job, target, THREADS, size.round_s, workers=[each], pure=False
                )
                for each in (one, other)
            ]
            return float(sum(client.gather(futures))) / size.round_s

        direct, relayed, peers, many, many_peers = [], [], [], [], []
        for _ in range(size.rounds):
            direct.append(time_on_one(tasks.time_calls, shared.counter, size.calls))
            peers.append(time_on_one(tasks.time_actor, actor, size.peer_calls))
            many.append(count_on_both(tasks.count_calls, shared.counter))
            many_peers.append(count_on_both(tasks.count_actor_calls, actor))
        # Workers know the direct way of this server.
        own_session().stop()
        share(tasks.Counter(), "counter", on=client, insecure=security is None)
        close_direct_way(shared.counter)
        (first,) = client.submit(
            tasks.time_calls, shared.counter, 0, 1, workers=[one], pure=False
        ).result()
        for _ in range(size.rounds):
            counter = shared.counter
            relayed.append(time_on_one(tasks.time_calls, counter, size.peer_calls))
    peer = middle_of(peers)
    calls = f"live call, {kind}"
    return [
        beside(f"{calls}, direct, p50: actor", "us", middle_of(direct), peer, 10),
        beside(f"{calls}, relayed, p50: actor", "us", middle_of(relayed), peer, 1),
        not_below(
            f"{2 * THREADS} threads on 2 workers, {kind}: actor",
            "calls/s",
            statistics.median(many),
            statistics.median(many_peers),
            10,
        ),
        not_above(
            f"{calls}, first one, nobody answers directly", "s", first / 1e9, 0.3
        ),
    ]


def close_direct_way(proxy: Any) -> None:
    """
    Let a proxy bring an address of its network where nobody answers.
    """
    link = proxy._duck_link
    link.ways = tuple(
        way if way.relay else way._replace(host=way.host.rpartition(".")[0] + ".77")
        for way in link.ways
    )


def middle_of(rounds: list[list[int]]) -> float:
    """
    Return the middle one of the rounds' medians, in microseconds.
    """
    return statistics.median(quantile(each, 0.5) for each in rounds) / 1e3


def measure_frame(size: Size) -> list[Row]:
    """
    Measure tasks on a frame in two workers of this host.
    """
    found: dict[str, list[tuple[float, float, float]]] = {"ours": [], "peer": []}
    for _ in range(size.rounds):
        frame = pd.DataFrame(np.ones((size.frame // 64, 8)))
        with dask_client(2, 1) as client, stopped():
            share(frame, "frame", on=client)
            found["ours"].append(time_maps(client, frame, lambda value: value))
        with dask_client(2, 1) as client:
            found["peer"].append(time_maps(client, frame, client.scatter))
    (first, again, memory), (peer_first, peer_again, peer_memory) = (
        map(statistics.median, zip(*each, strict=True)) for each in found.values()
    )
    name = f"{TASKS} tasks, {size.frame // 10**6} MB, this host"
    return [
        beside(f"{name}, first: scatter", "s", first, peer_first, 3),
        beside(f"{name}, again: scatter", "s", again, peer_again, 1),
        beside("memory (PSS) of its 2 workers: scatter", "MB", memory, peer_memory, 2),
    ]


def time_maps(
    client: Client, frame: Any, give: Callable[[Any], Any]
) -> tuple[float, float, float]:
    """
    Time maps of tasks on a frame.

    Args:
        client: The client.
        frame: The frame.
        give: Returns what the tasks get in its place.

    Returns:
        Seconds of the first map, seconds of the middle one of three more, and the
        megabytes that the workers have then beyond those of empty ones.
    """
    client.run(tasks.sum_part, frame.iloc[:8], 0)  # imports
    before = sum(client.run(tasks.memory).values())

    def map_once(item: Any) -> None:
        items = [item] * TASKS
        client.gather(client.map(tasks.sum_part, items, range(TASKS), pure=False))

    times = [time.perf_counter()]
    given = give(frame)
    for _ in range(4):
        map_once(given)
        times.append(time.perf_counter())
    first, *others = (end - began for began, end in itertools.pairwise(times))
    again = statistics.median(others)
    memory = sum(client.run(tasks.memory).values()) - before
    return first, again, memory / 1e6


def measure_hosts(size: Size) -> list[Row]:
    """
    Measure how long an array takes to four other hosts, over slow links.
    """
    ours, peers = [], []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        nets = stack.enter_context(bridge(HOSTS, MBIT))
        found = stack.enter_context(cluster(Path(folder), None, nets[0]))
        client = found.client
        for net in nets[1:]:
            stack.enter_context(join(client, net))
        client.wait_for_workers(HOSTS)
        stack.enter_context(stopped())
        workers = list(client.scheduler_info()["workers"])
        client.run(tasks.sum_part, np.ones(8), 0)
        array = np.ones(size.array // 8)
        share(array, "array", on=client, insecure=True)

        def time_all(argument: Callable[[], Any]) -> float:
            array[:] += 1.0
            began = time.perf_counter()
            item = argument()
            client.gather(
                [
                    client.submit(tasks.sum_part, item, 0, workers=[each], pure=False)
                    for each in workers
                ]
            )
            return time.perf_counter() - began

        for _ in range(size.rounds):
            ours.append(time_all(lambda: array))
            peers.append(time_all(lambda: client.scatter(array, workers=workers[:1])))
    name = f"{size.array // 10**6} MB to {HOSTS} hosts, {MBIT} Mbit/s links: scatter"
    return [beside(name, "s", statistics.median(ours), statistics.median(peers), 1)]


def measure_all(size: Size) -> list[Row]:
    """
    Give all rows.
    """
    return [
        *measure_live(None, size),
        *measure_live(Security.temporary(), size),
        *measure_frame(size),
        *measure_hosts(size),
    ]


def main() -> None:
    """
    Do as the command line says.
    """
    run("cluster", "What a cluster of Dask takes.", (FULL, QUICK), measure_all)


if __name__ == "__main__":
    main()
