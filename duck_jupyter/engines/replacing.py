"""
Puts references into the arguments of a task, in place of shared objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Target", "replace"]

#: Levels of containers to search: the arguments of a call have two of their own.
DEEP = 6
CONTAINERS = frozenset({list, tuple, dict})


class Target(NamedTuple):
    """
    A shared object or its proxy, and the number of the object in the table.
    """

    name: str
    target: Any
    idx: int
    is_proxy: bool = False


def replace(
    value: Any,
    targets: Mapping[int, Target],
    refer: Callable[[Target], Any],
    deep: int = DEEP,
) -> Any:
    """
    Return a value, or a copy of it with references in place of shared objects.

    Plain lists, tuples and dicts are searched, some levels deep. They are copied only
    if something in them is replaced.

    Args:
        value: The value.
        targets: The shared objects, by id.
        refer: Returns a reference to one of them.
        deep: Levels of containers to search.
    """
    target = targets.get(id(value))
    if target is not None:
        return refer(target)
    kind = type(value)
    if kind not in CONTAINERS or not deep or not value:
        return value
    items = list(value.values()) if kind is dict else value
    # In C, because a list may have millions of numbers.
    if targets.keys().isdisjoint(map(id, items)) and (
        deep == 1 or CONTAINERS.isdisjoint(map(type, items))
    ):
        return value
    replaced = [replace(item, targets, refer, deep - 1) for item in items]
    if all(a is b for a, b in zip(items, replaced, strict=True)):
        return value
    if kind is dict:
        return dict(zip(value, replaced, strict=True))
    return kind(replaced)
