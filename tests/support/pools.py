"""
Pools of all kinds, used in one way.

loky and joblib are imported when they are asked for: with both in one process, workers
of joblib are loky's, and each starts a tracker of its own once joblib maps an array.
"""

from __future__ import annotations

import importlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[[Callable[..., Any], list[Any]], list[Any]]

__all__ = ["BY_VALUE", "DEADLINE_S", "POOLS", "STARTED", "open_pool"]

#: No result takes longer.
DEADLINE_S = 30.0
WORKERS = 2
METHODS = ("fork", "forkserver", "spawn")
#: Those that ship functions by value.
BY_VALUE = ("loky", "joblib loky")
#: Those that ship what their workers are started with.
STARTED = (
    *(f"{kind} {method}" for kind in ("executor", "pool") for method in METHODS[1:]),
    "loky",
)
POOLS = (
    *(f"{kind} {method}" for kind in ("executor", "pool") for method in METHODS),
    *("loky", "joblib loky", "joblib multiprocessing"),
)


@contextmanager
def open_pool(
    kind: str, initializer: Callable[..., Any] | None = None, *initargs: Any
) -> Iterator[Run]:
    """
    Open a pool of two workers, which has ended when the block ends.

    Args:
        kind: One of POOLS.
        initializer: What each worker calls first.
        initargs: Its arguments.

    Yields:
        A function that maps another one over a list, one task for each item.
    """
    maker, method = kind.split(" ") if " " in kind else (kind, "")
    start: Any = {"initializer": initializer, "initargs": initargs}
    if maker == "joblib":
        yield from _open_joblib(method)
    elif maker == "pool":
        with multiprocessing.get_context(method).Pool(WORKERS, **start) as pool:
            yield lambda work, items: pool.map_async(work, items, 1).get(DEADLINE_S)
            pool.close()
            pool.join()
    else:
        if maker == "loky":
            loky = importlib.import_module("loky")
            executor = loky.ProcessPoolExecutor(WORKERS, **start)
        else:
            context = multiprocessing.get_context(method)
            executor = ProcessPoolExecutor(WORKERS, context, **start)
        with executor:
            yield lambda work, items: [
                future.result(DEADLINE_S)
                for future in [executor.submit(work, item) for item in items]
            ]


def _open_joblib(backend: str) -> Iterator[Run]:
    joblib = importlib.import_module("joblib")
    parallel = joblib.Parallel(
        WORKERS, backend=backend, batch_size=1, timeout=DEADLINE_S, max_nbytes="1K"
    )
    with parallel:
        yield lambda work, items: parallel(joblib.delayed(work)(item) for item in items)
    if backend == "loky":
        # joblib would keep them for the next one.
        own_loky = importlib.import_module("joblib.externals.loky")
        own_loky.get_reusable_executor().shutdown(wait=True)
