"""
Pools whose workers have started and imported everything, before anything is measured.
"""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from .dataworkers import meet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., list[Any]]

__all__ = [
    "HAS_RAY",
    "Pool",
    "end_joblib",
    "executor_pool",
    "joblib_pool",
    "ray_pool",
]

HAS_RAY = importlib.util.find_spec("ray") is not None


class Pool(NamedTuple):
    """
    Workers, whoever has them.
    """

    #: Maps a function over argument tuples, one task each.
    run: Run
    workers: int

    def together(self, work: Callable[..., int], *args: Any) -> list[int]:
        """
        Have every worker do one task that ends with `meet`.

        Returns:
            The numbers of their processes.
        """
        with tempfile.TemporaryDirectory() as folder:
            return self.run(work, [(*args, folder, self.workers)] * self.workers)


@contextmanager
def executor_pool(method: str, workers: int) -> Iterator[Pool]:
    """
    Open a ``ProcessPoolExecutor``, as everybody has it.
    """
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(workers, context) as executor:

        def run(work: Callable[..., Any], tasks: list[Any]) -> list[Any]:
            futures = [executor.submit(work, *task) for task in tasks]
            return [future.result() for future in futures]

        pool = Pool(run, workers)
        pool.together(meet)
        yield pool


@contextmanager
def joblib_pool(workers: int) -> Iterator[Pool]:
    """
    Open ``joblib.Parallel`` as it is by default: loky, arrays memmapped.

    It is used as a context manager, so that it writes each array but once.
    """
    joblib = importlib.import_module("joblib")
    with joblib.Parallel(workers) as parallel:

        def run(work: Callable[..., Any], tasks: list[Any]) -> list[Any]:
            found: list[Any] = parallel(joblib.delayed(work)(*task) for task in tasks)
            return found

        pool = Pool(run, workers)
        pool.together(meet)
        yield pool


def end_joblib() -> None:
    """
    End the workers that joblib keeps for the next time.
    """
    loky = importlib.import_module("joblib.externals.loky")
    loky.get_reusable_executor().shutdown(wait=True)


@contextmanager
def ray_pool(workers: int) -> Iterator[Pool]:
    """
    Open Ray on this machine; arguments that it has ``put`` are passed as they are.
    """
    ray = importlib.import_module("ray")
    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    try:
        made: dict[Any, Any] = {}

        def run(work: Callable[..., Any], tasks: list[Any]) -> list[Any]:
            remote = made.setdefault(work, ray.remote(work))
            found: list[Any] = ray.get([remote.remote(*task) for task in tasks])
            return found

        pool = Pool(run, workers)
        pool.together(meet)
        yield pool
    finally:
        ray.shutdown()
