"""
Four tasks on one frame: what it takes until their results are there.
"""

from __future__ import annotations

import importlib
import statistics
import time
from typing import TYPE_CHECKING, Any

from duck_jupyter import share, unshare

from .datapools import HAS_RAY, executor_pool, joblib_pool, ray_pool
from .dataworkers import make_frame, strided_sum
from .table import Row, beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from .datapools import Pool
    from .datasizes import DataSize

__all__ = ["measure_tasks", "milliseconds"]

METHODS = ("fork", "spawn")
TASKS = 4
WORKERS = 2
#: How many times quicker ours is to be: than plain pickling, and than joblib.
TO_REACH = {
    "first": (15, 2),
    "after that": (40, 2),
    "later": (40, 2),
    "frozen": (200, 2),
}

Times = dict[str, list[float]]


def milliseconds(job: Callable[[], object]) -> float:
    """
    Time a job, once.
    """
    began = time.perf_counter()
    job()
    return 1e3 * (time.perf_counter() - began)


def map_over(pool: Pool, value: Any) -> float:
    """
    Time four tasks that are all given the same.
    """
    return milliseconds(lambda: pool.run(strided_sum, [(value,)] * TASKS))


def time_ours(pool: Pool, frame: Any, times: Times) -> None:
    """
    Time one round of a frame that is shared, each time anew.
    """
    share(frame, "frame")
    times["first"].append(map_over(pool, frame))
    times["after that"].append(map_over(pool, frame))
    # By now it has been found unchanged often enough to be watched.
    map_over(pool, frame)
    times["later"].append(map_over(pool, frame))
    unshare("frame")
    share(frame, "frame", frozen=True)
    map_over(pool, frame)
    times["frozen"].append(map_over(pool, frame))
    unshare("frame")


def time_joblib(frame: Any, times: Times) -> None:
    """
    Time one round of joblib, which memmaps arrays anew in each block.
    """
    with joblib_pool(WORKERS) as pool:
        times["first"].append(map_over(pool, frame))
        times["after that"].append(map_over(pool, frame))


def measure_ray(frame: Any, rounds: int) -> Times:
    """
    Measure Ray: the first time with its ``put``, and after that.
    """
    ray = importlib.import_module("ray")
    times: Times = {"first": [], "after that": []}
    with ray_pool(WORKERS) as pool:
        for _ in range(rounds):
            began = time.perf_counter()
            reference = ray.put(frame)
            put = 1e3 * (time.perf_counter() - began)
            times["first"].append(put + map_over(pool, reference))
            times["after that"].append(map_over(pool, reference))
            del reference
    return times


def measure_method(
    method: str, frame: Any, joblib: Times, rounds: int
) -> tuple[Times, float]:
    """
    Measure tasks of a ``ProcessPoolExecutor``, by turns with joblib's.

    Args:
        method: How its workers are started.
        frame: What they are given. While the peers are at work it is not shared.
        joblib: Takes the times of joblib.
        rounds: How many.

    Returns:
        Our times, and the median of plain pickling.
    """
    ours: Times = {when: [] for when in TO_REACH}
    plain: list[float] = []
    with executor_pool(method, WORKERS) as pool:
        turns: list[Callable[[], Any]] = [
            lambda: time_ours(pool, frame, ours),
            lambda: plain.append(map_over(pool, frame)),
            lambda: time_joblib(frame, joblib),
        ]
        for i in range(rounds):
            for turn in turns[i % 3 :] + turns[: i % 3]:
                turn()
    return ours, statistics.median(plain)


def measure_tasks(size: DataSize) -> list[Row]:
    """
    Measure four tasks: plainly pickled, with joblib, with Ray, and shared.
    """
    frame = make_frame(size.frame)
    joblib: Times = {"first": [], "after that": []}
    found = {
        method: measure_method(method, frame, joblib, size.task_rounds)
        for method in METHODS
    }
    rows = []
    ray = measure_ray(frame, size.task_rounds) if HAS_RAY else None
    what = f"{TASKS} tasks, {size.frame // 10**6:,} MB"
    for method, (ours, plain) in found.items():
        for when, (than_plain, than_joblib) in TO_REACH.items():
            own = statistics.median(ours[when])
            name = f"{what}, {method}, {when}"
            mapped = median_or_last(joblib, when)
            rows += [
                beside(f"{name}: pickling", "ms", own, plain, than_plain),
                beside(f"{name}: joblib", "ms", own, mapped, than_joblib),
            ]
            if ray is not None:
                stored = median_or_last(ray, when)
                rows.append(Row(f"{name}: Ray", "ms", own, stored))
    if ray is None:
        rows.append(Row(f"{what}: Ray is not installed", "ms", None))
    return rows


def median_or_last(times: Times, when: str) -> float:
    """
    Give a peer's time. None has anything quicker than what it does after the first.
    """
    return statistics.median(times.get(when, times["after that"]))
