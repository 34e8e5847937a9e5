"""
A cluster of Ray: ``python -m tests.benchmarks.raycluster [--quick] [--json]``.

All its workers are on this machine. The peers are a method of an actor in another
worker, and ``ray.put``. No row is promised.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import ray

from duck_jupyter import share, shared
from tests.support.far import Elsewhere
from tests.support.ray_clusters import ray_cluster

from . import clustertasks as tasks
from .cluster import FULL, QUICK, TASKS, WARM_CALLS, middle_of, stopped
from .command import run
from .table import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cluster import Size

__all__ = ["main"]

#: Large enough for a handle.
WARM_ROWS = 10_000


def time_actor(actor: Any, warm: int, calls: int) -> list[int]:
    """
    Time calls of an actor, in nanoseconds.
    """
    return tasks.time_each(lambda: ray.get(actor.add.remote(1, 2)), warm, calls)


def measure_live(size: Size) -> list[Row]:
    """
    Measure calls in a task.
    """
    share(tasks.Counter(), "counter", on=ray)
    actor = ray.remote(tasks.Counter).remote()
    targets: dict[str, tuple[Any, Any, int]] = {
        "a lane": (tasks.time_calls, shared.counter, size.calls),
        "a connection": (tasks.time_calls, Elsewhere(shared.counter), size.calls),
        "actor": (time_actor, actor, size.peer_calls),
    }
    found: dict[str, list[list[int]]] = {name: [] for name in targets}
    for _ in range(size.rounds):
        for name, (job, target, calls) in targets.items():
            task = ray.remote(job).remote(target, WARM_CALLS, calls)
            found[name].append(ray.get(task))
    peer = middle_of(found.pop("actor"))
    return [
        Row(f"live call, {name}, p50: actor", "us", middle_of(times), peer)
        for name, times in found.items()
    ]


def measure_frame(size: Size) -> list[Row]:
    """
    Measure tasks on a frame.
    """
    add_up = ray.remote(tasks.sum_part)

    def time_maps(frame: Any, give: Callable[[Any], Any]) -> tuple[float, float]:
        times = [time.perf_counter()]
        given = give(frame)
        for _ in range(2):
            ray.get([add_up.remote(given, part) for part in range(TASKS)])
            times.append(time.perf_counter())
        began, first, again = times
        return first - began, again - first

    # Workers import what they need.
    small = pd.DataFrame(np.ones((WARM_ROWS, 8)))
    share(small, "small", on=ray)
    time_maps(small, lambda value: value)
    ours, peers = [], []
    for _ in range(size.rounds):
        frame = pd.DataFrame(np.ones((size.frame // 64, 8)))
        share(frame, "frame", on=ray)
        ours.append(time_maps(frame, lambda value: value))
        peers.append(time_maps(frame, ray.put))
    name = f"{TASKS} tasks, {size.frame // 10**6} MB"
    middle = [map(statistics.median, zip(*each, strict=True)) for each in (ours, peers)]
    return [
        Row(f"{name}, {when}: ray.put", "s", one, peer)
        for when, one, peer in zip(("first", "again"), *middle, strict=True)
    ]


def measure_all(size: Size) -> list[Row]:
    """
    Give all rows.
    """
    with ray_cluster(2, store=4 * size.frame + (100 << 20)), stopped():
        return [*measure_live(size), *measure_frame(size)]


def main() -> None:
    """
    Do as the command line says.
    """
    run("raycluster", "What a cluster of Ray takes.", (FULL, QUICK), measure_all)


if __name__ == "__main__":
    main()
