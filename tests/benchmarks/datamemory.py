"""
Memory: what the machine has less of when every worker reads all of a frame.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil

from duck_jupyter import share, unshare

from .datapools import end_joblib, executor_pool, joblib_pool
from .dataworkers import hold_all, make_frame, meet
from .table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .datapools import Pool
    from .datasizes import DataSize

__all__ = ["measure_memory", "summed_pss"]

MOST = 1.1


def summed_pss(pids: list[int]) -> int:
    """
    Sum what processes take, a page that several map being shared out among them.
    """
    return sum(psutil.Process(pid).memory_full_info().pss for pid in pids)


def added(pool: Pool, frame: Any) -> float:
    """
    Give the bytes that the workers add, and this process with them.

    This process counts because a page that it maps as well is its own in part.
    """
    pids = [*pool.together(meet), os.getpid()]
    before = summed_pss(pids)
    assert sorted([*pool.together(hold_all, frame), os.getpid()]) == sorted(pids)
    return float(summed_pss(pids) - before)


@contextmanager
def shared_as_frame(frame: Any) -> Iterator[None]:
    """
    Share a frame for the time of a block.
    """
    share(frame, "frame")
    yield
    unshare("frame")


def measure_memory(size: DataSize) -> list[Row]:
    """
    Measure the memory of some workers: plainly pickled, with joblib, and shared.
    """
    workers = size.readers
    frame = make_frame(size.read_frame)
    with executor_pool("spawn", workers) as pool, shared_as_frame(frame):
        ours = added(pool, frame) / 1e9
    with executor_pool("spawn", workers) as pool:
        plain = added(pool, frame) / 1e9
    with joblib_pool(workers) as pool:
        mapped = added(pool, frame) / 1e9
    # Its workers hold the frame, and are of no use to anyone else.
    end_joblib()
    whole = size.read_frame / 1e9
    most = MOST * whole
    what = f"summed PSS, {workers} workers, frame of {whole:g} GB"
    reach = f"under {most:g}"
    return [
        Row(f"{what}: pickling", "GB", ours, plain, reach, ours < most),
        Row(f"{what}: joblib", "GB", ours, mapped),
    ]
