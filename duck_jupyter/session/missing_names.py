"""
What is said about a name that nothing is shared under.
"""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

from ..errors import NotShared
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
        followed: The variable of another name that it followed when it was shared.
    """
    if multiprocessing.parent_process() is not None:
        return NotShared(
            f"{name!r} is not shared in this process, which is a worker. Names are "
            "known where they were shared: give the proxy itself to the worker as "
            f"an argument, as in pool.submit(work, shared.{name})."
        )
    if followed is not None:
        variable = followed.variable
        line = f"%share {variable} --as {name}"
        if variable in followed.namespace:
            return NotShared(f"{name!r} is not shared any more. To share it: {line}")
        return NotShared(
            f"{name!r} is not shared any more, since its variable {variable} was "
            f"deleted. Assign {variable} again, then: {line}"
        )
    return NotShared(
        f"{name!r} is not shared in this process.{close_to(name, known)} To "
        f"share it: %share {name}, or share({name}, name={name!r}). A worker is "
        "given proxies as arguments."
    )
