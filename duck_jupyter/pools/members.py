"""
What is to be known of a notebook's values before they are pickled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..data.unpicklable import find_path

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["dispatched_of", "unsendable"]

#: Types with the same advice for all objects of the type.
LOCKS = frozenset({"lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore"})
FILES = frozenset({"TextIOWrapper", "BufferedReader", "BufferedWriter", "FileIO"})


def dispatched_of(function: Any) -> tuple[Any, list[tuple[Any, Any]]] | None:
    """
    Take a ``singledispatch`` function apart: its default, and the others by class.
    """
    own = getattr(function, "__dict__", {})
    if not {"register", "dispatch", "registry"} <= own.keys():
        return None
    registry = dict(own["registry"])
    default = registry.pop(object, None)
    return None if default is None else (default, list(registry.items()))


def unsendable(value: Any, way: Iterable[str], error: BaseException) -> str:
    """
    Say what cannot be sent to a worker, by its path, and what to do.

    Args:
        value: The value of the last name.
        way: The names through which a function needs it, as score, helper, conn.
        error: What pickle said.
    """
    names = list(way)
    last = getattr(error, "_duck_last", value)
    inside = "" if last is value else (find_path(value, last) or "")
    kind = type(last).__name__
    name = names[-1].rpartition(".")[2]
    chain = " → ".join([*names[:-1], name]) + inside
    if kind in LOCKS and not inside:
        advice = f"Share it, %share {name}, and write: with shared.{name}:"
    elif kind in FILES:
        advice = "Open it in the function, or in the initializer of the pool."
    elif len(names) == 1:
        advice = (
            "Give the function what it needs as arguments, or let it use a variable "
            "that is shared: %share NAME, then shared.NAME in the function."
        )
    else:
        advice = (
            "Make it in the function or in the initializer of the pool, or share it, "
            f"%share {name}, and use shared.{name}."
        )
    return (
        f"{name} cannot be sent to a worker ({chain}), because it holds a {kind}: "
        f"{type(error).__name__}: {error}. {advice}"
    )
