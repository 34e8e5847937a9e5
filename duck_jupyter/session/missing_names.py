"""
Errors for a name that is not shared.
"""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

from ..errors import NotShared
from ..transport.identity import ray_worker_here, worker_here
from .names import close_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .names import Source

__all__ = ["not_shared"]


def not_shared(name: str, known: Iterable[str], followed: Source | None) -> NotShared:
    """
    Make the error for a name.

    Args:
        name: The name.
        known: The names that are shared.
        followed: The variable that the name followed, if it has another name.
    """
    on_ray = bool(ray_worker_here())
    if on_ray or multiprocessing.parent_process() is not None or worker_here()[0]:
        call = "work.remote(" if on_ray else "pool.submit(work, "
        return NotShared(
            f"{name!r} is not shared in this process, which is a worker. Names exist "
            "only in the process that shared them: pass the proxy to the worker as an "
            f"argument, as in {call}shared.{name})."
        )
    if followed is not None:
        variable = followed.variable
        line = f"%share {variable} --as {name}"
        if variable in followed.namespace:
            return NotShared(f"{name!r} is no longer shared. To share it: {line}")
        return NotShared(
            f"{name!r} is no longer shared, because its variable {variable} was "
            f"deleted. Assign {variable} again, then: {line}"
        )
    return NotShared(
        f"{name!r} is not shared in this process.{close_to(name, known)} To share it: "
        f"%share {name}, or share({name}, name={name!r}). A worker gets proxies as "
        "arguments."
    )
