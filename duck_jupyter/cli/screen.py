"""
A snapshot as lines of a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ..protocol.escaping import printable
from ..session.overview import NOT_SERVING
from ..stats.text import duration, in_bytes, many, percent, plain_bytes, rate
from ..stats.words import serving_in_words
from .listing import fitting, foreign
from .lists import WIDE, lists_of
from .tree import count_shared
from .view import HELP

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..session.snapshot import Snapshot
    from .listing import Column, Listing
    from .rates import Rates, Window
    from .view import View

__all__ = ["frame_of", "report_of"]

KEYS = "q quit  ? help  tab next list  ↑↓ choose  enter more"
PAGE_KEYS = "q quit  esc back  ↑↓ scroll"
NO_KEYS = "Ctrl-C quits"
#: Rows of each list in a report, which cannot be scrolled.
MOST_ROWS = 30
MOST_ENDED = 5
MOST_ERRORS = 5
#: Lines for the details of the chosen row, and for the list, if there is space.
DETAIL_LINES = 6
LEAST_ROWS = 3
#: Cells that a notebook's name takes at least.
LEAST_TITLE = 12
GAP = "  "
#: What is around the title of a list.
TAB = "   "
CHOSEN = "> "
#: Cells that are enough for a text; names get the rest.
ENOUGH = 60


def frame_of(
    snapshot: Snapshot,
    window: Window,
    view: View | None,
    size: tuple[int, int],
    title: str = "",
    note: str = "",
) -> list[Text]:
    """
    Draw a snapshot on a screen.

    Args:
        snapshot: A whole snapshot.
        window: The snapshots of the last minute, including this one.
        view: The state of the screen; None if there are no keys.
        size: Columns and lines.
        title: The name of the notebook.
        note: A problem, such as a kernel that does not answer.

    Returns:
        As many lines as fit, none wider than the screen.
    """
    width, height = size
    lists = lists_of(snapshot, window)
    head = [_state(snapshot), _traffic(window.rates(), width)]
    if note:
        head[:1] = _folded([Text(printable(note), "bold red")], width)
    head.append(_tabs(lists, view, title, width))
    keys = NO_KEYS if view is None else PAGE_KEYS if view.page else KEYS
    foot = [*_links(snapshot), _memory(snapshot), Text(keys, "dim")]
    room = max(0, height - len(head) - len(foot))
    body = _body(lists, view, width, room)
    blank = [Text()] * (room - len(body))
    lines = [*head, *body, *blank, *foot][-height:]
    return [fitting(line, width, keeps_end=False) for line in lines]


def report_of(snapshot: Snapshot, window: Window, width: int) -> list[Text]:
    """
    Write a snapshot as text, with all lists one after the other.

    Args:
        snapshot: A whole snapshot.
        window: The snapshots of the last minute, including this one.
        width: Columns.
    """
    lines = [_state(snapshot), _traffic(window.rates(), width)]
    objects, workers, errors, tasks = lists_of(snapshot, window)
    for listing, rows in (
        (objects, objects.busiest(MOST_ROWS)),
        (workers, workers.first(MOST_ROWS, MOST_ENDED)),
        (tasks, range(len(tasks.keys))),
        (errors, range(min(len(errors.keys), MOST_ERRORS))),
    ):
        if not rows:
            continue
        columns = _columns(listing, width)
        lines += [Text(), _heading(columns)]
        lines += [_line(columns, listing.cells(at)) for at in rows]
        left_out = len(listing.keys) + listing.unlisted - len(rows)
        if left_out:
            lines.append(Text(f"and {many(left_out, 'more row')}", "dim"))
        if listing is errors:
            for at in rows:
                lines += [Text(), *_folded(errors.advice(at), width)]
    lines += [Text(), *_folded([*_links(snapshot), _memory(snapshot)], width)]
    return [fitting(line, width, keeps_end=False) for line in lines]


def _state(snapshot: Snapshot) -> Text:
    totals = snapshot.totals
    words = (
        NOT_SERVING
        if snapshot.state == "stopped"
        else serving_in_words(
            count_shared(snapshot),
            sum(worker.is_served for worker in snapshot.workers),
            called=totals.are_used,
        )
    )
    if snapshot.state != "serving":
        words += ". In the notebook: %share NAME"
    text = Text(words, style="bold")
    if snapshot.busy_delay:
        text.append(
            f"  kernel busy, up to +{duration(snapshot.busy_delay)} a call",
            style="yellow",
        )
    number = snapshot.cell.number
    if snapshot.cell.running:
        text.append(
            f"  cell [{number}] runs" if number else "  a cell runs", style="dim"
        )
    return text


def _traffic(rates: Rates, width: int) -> Text:
    kinds = ""
    if width >= WIDE:
        kinds = (
            f" (GET {rate(rates.gets)}, SET {rate(rates.sets)}, "
            f"EXECUTE {rate(rates.executes)})"
        )
    return Text(
        f"{rate(rates.calls)} calls/s{kinds}  ↑ {in_bytes(rates.bytes_out, 2)}/s  "
        f"↓ {in_bytes(rates.bytes_in, 2)}/s  p50 {duration(rates.p50)}  "
        f"p99 {duration(rates.p99)}  waiting {percent(rates.waiting)}"
    )


def _tabs(lists: Sequence[Listing], view: View | None, title: str, width: int) -> Text:
    chosen = 0 if view is None else view.pane
    titles = {
        number: listing.title()
        for number, listing in enumerate(lists)
        if listing.keys or listing.has_empty_tab or number == chosen
    }
    for number in reversed(titles):
        if sum(each.cell_len + len(TAB) for each in titles.values()) <= width:
            break
        if number != chosen:
            # What does not fit goes whole; the list itself says it.
            titles[number] = Text(" ".join(titles[number].plain.split()[:2]))
    text = Text()
    for number, each in titles.items():
        tab = Text(" ").append_text(each).append(" ")
        if number == chosen:
            tab.stylize("reverse")
        text.append_text(tab).append(" ")
    name = foreign(title, "dim")
    left = width - text.cell_len
    if left > LEAST_TITLE and title:
        name = fitting(name, left, keeps_end=True)
        text.append(" " * (left - name.cell_len)).append_text(name)
    return text


def _body(
    lists: Sequence[Listing], view: View | None, width: int, room: int
) -> list[Text]:
    listing = lists[0 if view is None else view.pane]
    if view is not None and view.page:
        paragraphs = (
            listing.more(view.row(listing))
            if view.page == "row" and listing.keys
            else [Text(line) for line in HELP.splitlines()]
        )
        lines = _folded(paragraphs, width)
        view.room = max(1, room)
        view.scrolled = min(view.scrolled, max(0, len(lines) - room))
        return lines[view.scrolled : view.scrolled + room]
    if not listing.keys:
        return [Text(listing.nothing, "dim")][:room]
    columns = _columns(listing, width - len(GAP))
    below = DETAIL_LINES if view and room > DETAIL_LINES + LEAST_ROWS + 1 else 0
    rows = max(0, room - 1 - below)
    first = chosen = 0
    if view is not None:
        view.room = max(1, rows)
        first, chosen = view.first(listing), view.row(listing)
    lines = [Text(GAP).append_text(_heading(columns))][:room]
    for at in range(first, min(first + rows, len(listing.keys))):
        is_chosen = view is not None and at == chosen
        line = Text(CHOSEN if is_chosen else GAP)
        line.append_text(_line(columns, listing.cells(at)))
        if is_chosen:
            line.stylize("reverse")
        lines.append(line)
    if below:
        lines += [Text()] * (1 + rows - len(lines))
        lines.append(Text("─" * width, "dim"))
        lines += _folded(listing.more(chosen), width)[: below - 1]
    return lines


def _columns(listing: Listing, width: int) -> list[tuple[int, Column, int]]:
    """
    Choose the columns that fit.

    Returns:
        For each column: the index of its cells, the column, and its width.
    """
    shown = [
        (number, column)
        for number, column in enumerate(listing.columns)
        if width >= column.from_width - len(GAP)
    ]
    rest = width - sum(column.width + len(GAP) for _, column in shown) + len(GAP)
    names = [column for _, column in shown if column.keeps_end]
    more = max(0, rest - ENOUGH) // 2 // max(1, len(names))
    rest -= more * len(names)
    return [
        (
            number,
            column,
            (column.width or max(0, rest)) + (more if column.keeps_end else 0),
        )
        for number, column in shown
    ]


def _heading(columns: Iterable[tuple[int, Column, int]]) -> Text:
    cells = [Text(column.heading, "bold") for _, column, _ in columns]
    return _joined(zip(columns, cells, strict=True))


def _line(columns: Iterable[tuple[int, Column, int]], cells: Sequence[Text]) -> Text:
    return _joined((column, cells[column[0]]) for column in columns)


def _joined(parts: Iterable[tuple[tuple[int, Column, int], Text]]) -> Text:
    line = Text()
    for (_, column, width), cell in parts:
        if line:
            line.append(GAP)
        shown = fitting(cell, width, keeps_end=column.keeps_end)
        blank = " " * (width - shown.cell_len)
        if column.is_right:
            line.append(blank).append_text(shown)
        else:
            line.append_text(shown).append(blank)
    line.rstrip()
    return line


def _folded(paragraphs: Iterable[Text], width: int) -> list[Text]:
    console = Console(width=width)
    lines: list[Text] = []
    for paragraph in paragraphs:
        lines += paragraph.wrap(console, width, overflow="fold") or [Text()]
    return lines


def _links(snapshot: Snapshot) -> list[Text]:
    """
    Return a line for the page of each cluster.
    """
    return [
        foreign(f"{cluster.kind} dashboard: {cluster.dashboard}", "dim")
        for cluster in snapshot.clusters
        if cluster.dashboard
    ]


def _memory(snapshot: Snapshot) -> Text:
    memory = snapshot.memory
    words = f"Shared memory: {in_bytes(memory.ours)} held"
    if memory.capacity is not None and memory.free is not None:
        words += f", {in_bytes(memory.free)} of {plain_bytes(memory.capacity)} free"
    if memory.spooled:
        words += f"; {in_bytes(memory.spooled)} spooled to {memory.spool_dir}"
    return foreign(words, "dim")
