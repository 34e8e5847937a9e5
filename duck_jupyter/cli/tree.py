"""
The objects of a snapshot in the order of the list.

Objects of one path are one item: each use of a chain makes another object of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ..session.snapshot import Snapshot
    from ..stats.rows import ChainRow, ObjectRow
    from .rates import Window

__all__ = ["CutItem", "ObjectItem", "count_shared", "tree_of"]


class ObjectItem(NamedTuple):
    """
    The objects of one path; counts are those of all of them.
    """

    key: Hashable
    #: The one that was called last, or the newest.
    row: ObjectRow
    depth: int
    #: The number of these objects.
    live: int
    #: Calls in a second; None before the second snapshot.
    rate: float | None
    calls: int
    bytes_in: int
    bytes_out: int
    #: Shares of the buffer, those of the fullest.
    last: float
    peak: float
    #: Frames that were sent outside the buffer.
    beside: int
    handovers: int
    handed_bytes: int
    versions: int
    version_bytes: int
    mapped_bytes: int
    last_error: str
    pids: tuple[int, ...]


class CutItem(NamedTuple):
    """
    A path that was cut.
    """

    key: Hashable
    chain: ChainRow


def count_shared(snapshot: Snapshot) -> int:
    """
    Return the number of shared objects, without those reached through them.
    """
    return sum(row.parent is None for row in snapshot.objects)


def tree_of(snapshot: Snapshot, window: Window) -> list[ObjectItem | CutItem]:
    """
    Return the shared objects in their order, each followed by those reached through it.

    Args:
        snapshot: A whole snapshot.
        window: The snapshots until this one.
    """
    groups: dict[Hashable, list[ObjectRow]] = {}
    key_of: dict[int, Hashable] = {}
    for row in snapshot.objects:
        key = key_of[row.idx] = _key_of(row)
        groups.setdefault(key, []).append(row)
    below: dict[Hashable, list[Hashable]] = {}
    for group, rows in groups.items():
        first = rows[0].parent
        parent = None if first is None else key_of.get(first)
        below.setdefault(parent, []).append(group)
    items: list[ObjectItem | CutItem] = []
    # A chain may be longer than Python's limit of recursion.
    rest = [(root, 0) for root in reversed(below.get(None, []))]
    while rest:
        found, depth = rest.pop()
        items.append(_item(found, groups[found], depth, window))
        rest += [(child, depth + 1) for child in reversed(below.get(found, []))]
    items += [
        CutItem(("cut", chain.path, chain.max_level), chain)
        for chain in snapshot.chains or []
    ]
    return items


def _key_of(row: ObjectRow) -> Hashable:
    # The level is part of the key, so no item is below itself.
    return (row.level, row.root, row.path) if row.level else row.idx


def _item(
    key: Hashable, rows: list[ObjectRow], depth: int, window: Window
) -> ObjectItem:
    rates = [window.calls_of(row.idx) for row in rows]
    return ObjectItem(
        key,
        rows[-1],
        depth,
        len(rows),
        None if None in rates else sum(filter(None, rates)),
        sum(row.calls for row in rows),
        sum(row.bytes_in for row in rows),
        sum(row.bytes_out for row in rows),
        max(row.last / row.bufsize for row in rows),
        max(row.peak / row.bufsize for row in rows),
        sum(row.beside for row in rows),
        sum(row.handovers for row in rows),
        sum(row.handed_bytes for row in rows),
        sum(row.versions for row in rows),
        sum(row.version_bytes for row in rows),
        sum(row.mapped_bytes for row in rows),
        next((row.last_error for row in reversed(rows) if row.last_error), ""),
        tuple(dict.fromkeys(pid for row in rows for pid in row.pids)),
    )
