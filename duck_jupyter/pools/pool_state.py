"""
What a pool is, what workers it has, and whether it takes tasks.

This rests on private names, which are the same in CPython 3.10 to 3.14 and in loky:
``_processes``, ``_pool``, ``_broken``, ``_shutdown_thread``, ``_state``, ``_cache`` and
``_pending_work_items`` (in loky ``_flags`` for the state).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ..stats.task_rows import Kind

__all__ = [
    "drained",
    "end_of",
    "has_cloudpickle",
    "is_cloudpickle",
    "kind_of",
    "processes_of",
]

LOKY = ("loky.", "joblib.externals.loky.")


def kind_of(pool: Any) -> Kind:
    """
    Say what made a pool.
    """
    for kind in type(pool).__mro__:
        if kind.__module__.startswith("joblib."):
            return "joblib"
        if kind.__module__.startswith(LOKY):
            return "loky"
    return "ProcessPoolExecutor" if hasattr(pool, "submit") else "Pool"


def has_cloudpickle(pool: Any) -> bool:
    """
    Return whether a pool sends functions by value, as loky and joblib with it do.
    """
    return hasattr(pool, "submit") and kind_of(pool) != "ProcessPoolExecutor"


def is_cloudpickle(pickler: Any) -> bool:
    """
    Return whether a pickler is one of cloudpickle, or of the copy that joblib has.
    """
    modules = (kind.__module__ for kind in type(pickler).__mro__)
    return any(module.endswith("cloudpickle.cloudpickle") for module in modules)


def end_of(pool: Any) -> Literal["closed", "broken"] | None:
    """
    Say whether a pool takes no more tasks, and why.
    """
    if pool is None:
        return "closed"
    flags = getattr(pool, "_flags", None)  # of loky
    broken = getattr(pool, "_broken", None) or getattr(flags, "broken", None)
    if broken:
        return "broken"
    closed = getattr(pool, "_shutdown_thread", None) or getattr(flags, "shutdown", None)
    if closed or getattr(pool, "_state", "RUN") in ("CLOSE", "TERMINATE"):
        return "closed"
    return None


def drained(pool: Any, run: int) -> bool:
    """
    Tell whether a pool has no task left of a run, done or not.
    """
    if pool is None or getattr(pool, "_state", "RUN") == "TERMINATE":
        return True
    items = getattr(pool, "_pending_work_items", None)
    if items is None:
        # What a `multiprocessing.Pool` gives does not tell which function it is of.
        return not getattr(pool, "_cache", None)
    return not any(
        getattr(item.fn, "notes", {}).get("work") == run and not item.future.cancelled()
        for item in list(items.values())
    )


def processes_of(pool: Any) -> list[Any]:
    """
    List the processes that a pool has, as its own objects.
    """
    found = getattr(pool, "_processes", None)
    # In a `multiprocessing.Pool` it is how many there are.
    if isinstance(found, dict):
        return list(found.values())
    return list(getattr(pool, "_pool", None) or ())
