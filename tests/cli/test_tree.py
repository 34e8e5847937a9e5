"""
The order of objects, and those of one path as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from duck_jupyter.cli.rates import Window
from duck_jupyter.cli.tree import CutItem, ObjectItem, tree_of
from tests.support.snapshots import golden

if TYPE_CHECKING:
    from duck_jupyter.session.snapshot import Snapshot
    from duck_jupyter.stats.rows import ObjectRow

change = msgspec.structs.replace


def row(idx: int, path: str, parent: int | None, **values: Any) -> ObjectRow:
    """
    Make the row of an object.
    """
    level = path.count(".")
    return change(
        golden().objects[0],
        idx=idx,
        path=path,
        root=path.split(".")[0],
        parent=parent,
        level=level,
        **values,
    )


def tree(*rows: ObjectRow, before: Snapshot | None = None) -> list[ObjectItem]:
    """
    Give the items of objects, two seconds after an earlier snapshot.
    """
    now = change(golden(), time=golden().time + 2, objects=list(rows), chains=[])
    window = Window()
    for snapshot in (before, now):
        if snapshot is not None:
            window.add(snapshot)
    return [item for item in tree_of(now, window) if isinstance(item, ObjectItem)]


def test_what_was_reached_follows_what_it_was_reached_through() -> None:
    items = tree(
        row(1, "a", None),
        row(2, "b", None),
        row(3, "a.x", 1),
        row(4, "a.x.y", 3),
        row(5, "b.x", 2),
    )
    found = [(item.row.path, item.depth) for item in items]
    assert found == [("a", 0), ("a.x", 1), ("a.x.y", 2), ("b", 0), ("b.x", 1)]


def test_objects_of_one_path_are_one_item_with_the_counts_of_all() -> None:
    none = {"gets": 0, "sets": 0, "executes": 0, "last": 10, "bufsize": 100}
    before = change(golden(), objects=[row(1, "m", None), row(2, "m.d", 1, **none)])
    items = tree(
        row(1, "m", None),
        row(2, "m.d", 1, **{**none, "gets": 6}, pids=[7], last_error="KeyError: 1"),
        row(3, "m.d", 1, **{**none, "sets": 4, "last": 90}, pids=[7, 8]),
        row(4, "m.d.d", 2),
        row(5, "m.d.d", 3),
        before=before,
    )
    found = [(item.row.path, item.live) for item in items]
    assert found == [("m", 1), ("m.d", 2), ("m.d.d", 2)]
    both = items[1]
    assert (both.calls, both.rate, both.last) == (10, 5.0, 0.9)
    assert (both.last_error, both.pids) == ("KeyError: 1", (7, 8))


def test_an_object_whose_parent_went_is_shown_all_the_same() -> None:
    (item,) = tree(row(9, "a.x", 1))
    assert (item.row.idx, item.depth) == (9, 0)


def test_a_chain_may_be_very_long() -> None:
    """
    Longer than Python calls functions.
    """
    rows = [
        change(row(i, "a", i - 1), level=i, path=f"a.{i}", parent=i - 1 if i else None)
        for i in range(3000)
    ]
    items = tree(*rows)
    assert [item.depth for item in items] == list(range(3000))


def test_cut_paths_come_last() -> None:
    window = Window()
    window.add(golden())
    *objects, cut = tree_of(golden(), window)
    assert isinstance(cut, CutItem)
    assert cut.chain.path == "root.next.next"
    assert not any(isinstance(item, CutItem) for item in objects)
