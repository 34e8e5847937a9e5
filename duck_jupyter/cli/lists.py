"""
The lists of ``jupyter duck top``: objects and errors; and all lists.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text

from ..stats.error_log import CUTS_KEPT
from ..stats.text import (
    UNKNOWN,
    age,
    exact,
    in_bytes,
    many,
    percent,
    plain_bytes,
    rate,
    total,
)
from .listing import Column, Listing, foreign, lines_of
from .task_list import Tasks
from .tree import CutItem, count_shared, tree_of
from .worker_list import Workers

if TYPE_CHECKING:
    from ..session.snapshot import Snapshot
    from ..stats.rows import ErrorRow
    from .rates import Window
    from .tree import ObjectItem

__all__ = ["WIDE", "Errors", "Objects", "lists_of"]

#: Widths of a terminal from which more columns are shown.
WIDE, WIDEST = 120, 160
#: From this share of the buffer the next frame may be too large for it.
NEAR = 0.7
#: If more than this share of the frames exceed the buffer, the fill is coloured.
OFTEN = 0.1
BAR_CELLS = 8
#: The largest indent of a chained object, in cells.
MOST_INDENT = 6


def lists_of(
    snapshot: Snapshot, window: Window
) -> tuple[Objects, Workers, Errors, Tasks]:
    """
    Return the lists of a snapshot.

    Args:
        snapshot: A whole snapshot.
        window: The snapshots until this one.
    """
    objects, workers = Objects(snapshot, window), Workers(snapshot, window)
    return objects, workers, Errors(snapshot), Tasks(snapshot)


class Objects(Listing):
    """
    The shared objects; below each one those that were reached through it.
    """

    nothing = "Nothing is shared. In the notebook: %share NAME"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Object", 20, keeps_end=True),
        Column("Type", 24, from_width=WIDE),
        Column("Mode", 9, from_width=WIDEST),
        Column("Calls/s", 7, is_right=True),
        Column("Calls", 6, is_right=True, from_width=WIDE),
        Column("Waiting", 7, is_right=True),
        Column("Buffer fill", BAR_CELLS + 6),
        Column("Versions", 14, from_width=WIDEST),
        Column("Last error", 0),
    )

    def __init__(self, snapshot: Snapshot, window: Window) -> None:
        self._window = window
        self._workers = snapshot.workers
        self._items = tree_of(snapshot, window)
        self._shared = count_shared(snapshot)
        super().__init__([item.key for item in self._items])

    def title(self) -> Text:
        """
        Return the name with the number of shared objects; chained ones do not count.
        """
        cut = sum(isinstance(item, CutItem) for item in self._items)
        text = Text(f"Objects {exact(self._shared)}")
        many_cut = f"newest {exact(cut)}" if cut >= CUTS_KEPT else exact(cut)
        return text.append(f" ✂ {many_cut} cut", "red") if cut else text

    def busiest(self, most: int) -> list[int]:
        """
        Return the rows with the most calls, in the order of the list.
        """

        def busy(at: int) -> tuple[float, int]:
            item = self._items[at]
            if isinstance(item, CutItem):
                return float("-inf"), 0
            return -(item.rate or 0.0), -item.calls

        return sorted(sorted(range(len(self._items)), key=busy)[:most])

    def cells(self, at: int) -> list[Text]:
        """
        Return the cells of a row.
        """
        item = self._items[at]
        if isinstance(item, CutItem):
            return _cut_cells(item)
        row = item.row
        name = foreign(" " * min(item.depth, MOST_INDENT) + row.path)
        if item.live > 1:
            name.append(f" ×{exact(item.live)}")  # noqa: RUF001 - times
        waiting = sum(worker.calling.count(row.path) for worker in self._workers)
        versions = f"{exact(item.versions)} in {in_bytes(item.version_bytes)}"
        return [
            name,
            foreign(f"{row.type} {row.size}".rstrip()),
            foreign(row.mode),
            Text(rate(item.rate)),
            Text(total(item.calls)),
            Text(exact(waiting), "yellow" if waiting else ""),
            _fill(item),
            Text(versions if item.versions else UNKNOWN),
            foreign(item.last_error, "red"),
        ]

    def more(self, at: int) -> list[Text]:
        """
        Return all details of an object.
        """
        item = self._items[at]
        if isinstance(item, CutItem):
            return _cut_in_words(item)
        row = item.row
        moved = f"{in_bytes(item.bytes_in)} to the kernel, {in_bytes(item.bytes_out)}"
        fill = f"{percent(item.last)}, peak {percent(item.peak)}"
        lines = [
            foreign(f"{row.path}: {row.type} {row.size}".rstrip(), "bold"),
            foreign(f"{row.mode}, level {row.level} of {row.max_level}"),
            Text(f"{many(item.calls, 'call')}; {moved} to workers"),
            Text(f"Buffer fill {fill} of {plain_bytes(row.bufsize)}"),
        ]
        if item.beside:
            words = f"{many(item.beside, 'frame')} larger than the buffer"
            lines[-1].append(f"; {words}", _beside_style(item))
        if item.handovers:
            saved = in_bytes(item.handed_bytes)
            words = f"Handed over {many(item.handovers, 'time')}, {saved} not copied"
            lines.append(Text(words))
        if item.live > 1:
            lines[1].append(f"; {many(item.live, 'object')} of this path")
        if item.versions:
            mapped = f", {in_bytes(item.mapped_bytes)} mapped by workers"
            words = (
                f"{many(item.versions, 'version')} in {in_bytes(item.version_bytes)}"
            )
            lines.append(Text(words + mapped))
        if item.last_error:
            lines.insert(1, foreign(f"Last error: {item.last_error}", "red"))
        names = {worker.pid: worker.name for worker in self._workers}
        if item.pids:
            held = (f"{pid} {names.get(pid, '')}".rstrip() for pid in item.pids)
            lines.append(foreign(f"Held by {', '.join(held)}"))
        return lines


def _cut_cells(item: CutItem) -> list[Text]:
    chain = item.chain
    return [
        foreign(f"✂ {chain.path}", "red"),
        foreign(chain.type),
        *(Text("cut"), Text(""), Text(total(chain.cuts)), Text(""), Text(""), Text("")),
        Text(f"LimitedProxyChaining: the limit is {chain.max_level}", "red"),
    ]


def _cut_in_words(item: CutItem) -> list[Text]:
    chain = item.chain
    return [
        foreign(f"{chain.path}: {chain.type}", "bold"),
        Text(
            f"Cut {many(chain.cuts, 'time')}: level {chain.level} is above the limit, "
            f"{chain.max_level}. Ask for less at a time, or raise it: "
            "%share NAME --max-chain N"
        ),
    ]


def _fill(item: ObjectItem) -> Text:
    cells = round(item.last * BAR_CELLS)
    style = "yellow" if item.last >= NEAR else _beside_style(item) or "blue"
    text = Text("█" * cells, style)
    text.append("░" * (BAR_CELLS - cells), "dim")
    return text.append(f" {percent(item.last)}")


def _beside_style(item: ObjectItem) -> str:
    """
    Return the colour of an object whose frames often exceed its buffer.
    """
    return "yellow" if item.beside > OFTEN * item.calls else ""


class Errors(Listing):
    """
    The kinds of error of workers, the newest first.
    """

    nothing = "No error so far."
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Times", 6, is_right=True),
        Column("Object", 18, keeps_end=True),
        Column("Ago", 5, is_right=True),
        Column("Worker", 20, from_width=WIDE, keeps_end=True),
        Column("Error", 0),
    )

    def __init__(self, snapshot: Snapshot) -> None:
        self._time = snapshot.time
        self._items: list[ErrorRow] = snapshot.errors or []
        self._count = snapshot.error_count
        self.unlisted: int = snapshot.error_kinds - len(self._items)
        super().__init__([row.key for row in self._items])

    def title(self) -> Text:
        """
        Return the name with the number of errors and of their kinds.
        """
        if not self._items:
            return Text("Errors 0")
        listed = len(self._items)
        kinds = many(listed + self.unlisted, "kind")
        if self.unlisted:
            kinds += f", newest {exact(listed)}"
        return Text(f"Errors {total(self._count)} of {kinds}", "red")

    def cells(self, at: int) -> list[Text]:
        """
        Return the cells of a row.
        """
        row = self._items[at]
        return [
            Text(f"×{total(row.count)}" if row.count > 1 else ""),  # noqa: RUF001
            foreign(_objects_of(row)),
            Text(age(self._time - row.last)),
            foreign(row.worker),
            foreign(f"{row.type}: {row.message}", "red"),
        ]

    def more(self, at: int) -> list[Text]:
        """
        Return all details of a kind of error; the advice comes first.
        """
        row = self._items[at]
        lines = self.advice(at)
        first = age(self._time - row.first)
        who = f"{_objects_of(row)}, {many(row.count, 'time')}, first {first} ago"
        if row.worker:
            who += f", last in {row.worker}"
        return [*lines, foreign(who), *lines_of(row.traceback, "dim")]

    def advice(self, at: int) -> list[Text]:
        """
        Return the whole message of an error, and the advice.
        """
        row = self._items[at]
        lines = lines_of(f"{row.type}: {row.message}", "red")
        for sentence, line in row.ways_out:
            lines.append(foreign(sentence))
            if line:
                lines += lines_of(textwrap.indent(line, "    "), "bold")
        return lines


def _objects_of(row: ErrorRow) -> str:
    """
    Return the object of the last error, and the number of others.
    """
    return f"{row.object} +{exact(row.objects - 1)}" if row.objects > 1 else row.object
