"""
Table: the shared objects, as text and as HTML.
"""

from __future__ import annotations

import html
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ..protocol.escaping import printable
from ..stats.text import UNKNOWN, exact, in_bytes, many, percent, plain_bytes

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from ..session.overview import Overview
    from ..stats.rows import ObjectRow

__all__ = ["Table", "html_of", "lines_of"]

HEADINGS = (
    "Name",
    "Type",
    "Size",
    "Level",
    "Mode",
    "Workers",
    "Calls",
    "Bytes",
    "Buffer fill",
    "Handed over",
    "Versions",
    "Last error",
)
#: Columns of text; the others hold numbers.
WORDS = frozenset({"Name", "Type", "Mode", "Handed over", "Versions", "Last error"})
MOST_CHARS = 60


class Table:
    """
    The shared objects of a session at one moment; the value of `%share`.

    Args:
        overview: The state of the session at that moment.
    """

    def __init__(self, overview: Overview) -> None:
        self.overview = overview

    def __repr__(self) -> str:
        state, rows, left_out, clusters = self.overview
        if not rows:
            return state
        cells = [_cells(row, clusters.get(row.idx, "")) for row in rows]
        text = [state, "", *lines_of(HEADINGS, cells, WORDS)]
        if left_out:
            text.append(_left_out(left_out))
        return "\n".join(text)

    def _repr_html_(self) -> str:
        state, rows, left_out, clusters = self.overview
        parts = [f"<p>{html.escape(state)}</p>"]
        if rows:
            cells = [_cells(row, clusters.get(row.idx, "")) for row in rows]
            hints = [_lines(row.last_error or "") for row in rows]
            parts.append(html_of(HEADINGS, cells, WORDS, hints))
        if left_out:
            parts.append(f"<p>{html.escape(_left_out(left_out))}</p>")
        return "".join(parts)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def lines_of(
    headings: Sequence[str], rows: Sequence[Sequence[str]], words: Container[str]
) -> list[str]:
    """
    Write a table as lines with aligned columns.

    Args:
        headings: One for each column.
        rows: Each has one cell for each heading.
        words: The headings of the columns that are aligned left; numbers are aligned
            right.
    """
    lines = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    text = []
    for line in lines:
        cells = [
            cell.ljust(width) if heading in words else cell.rjust(width)
            for cell, width, heading in zip(line, widths, headings, strict=True)
        ]
        text.append("  ".join(cells).rstrip())
    return text


def html_of(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    words: Container[str],
    hints: Sequence[str] = (),
) -> str:
    """
    Write a table as HTML in the colours of the page.

    Args:
        headings: One for each column.
        rows: Each has one cell for each heading.
        words: The headings of the columns that are aligned left.
        hints: The tooltip of each row, or an empty string.
    """

    def cell(tag: str, heading: str, text: str) -> str:
        side = "left" if heading in words else "right"
        scope = ' scope="col"' if tag == "th" else ""
        return f'<{tag}{scope} style="text-align: {side}">{html.escape(text)}</{tag}>'

    head = "".join(cell("th", name, name) for name in headings)
    parts = [f"<table><thead><tr>{head}</tr></thead><tbody>"]
    for row, hint in zip_longest(rows, hints, fillvalue=""):
        body = "".join(
            cell("td", name, text) for name, text in zip(headings, row, strict=True)
        )
        title = f' title="{html.escape(hint)}"' if hint else ""
        parts.append(f"<tr{title}>{body}</tr>")
    parts.append("</tbody></table>")
    return "".join(parts)


def _cells(row: ObjectRow, cluster: str) -> tuple[str, ...]:
    if row.peak:
        fill = f"{percent(row.last / row.bufsize)}, peak "
        fill += f"{percent(row.peak / row.bufsize)} of {plain_bytes(row.bufsize)}"
    else:
        fill = f"0 of {plain_bytes(row.bufsize)}"
    if row.beside:
        # A larger frame is sent outside the buffer.
        fill += f", {exact(row.beside)} larger"
    return (
        _shorten("  " * row.level + printable(row.path)),
        _shorten(printable(row.type)),
        row.size or UNKNOWN,
        str(row.level),
        f"{row.mode}, on {cluster}" if cluster else row.mode,
        exact(len(row.pids)),
        exact(row.calls),
        in_bytes(row.bytes_in + row.bytes_out),
        fill,
        _hand_overs(row),
        _versions(row),
        _shorten(printable(" ".join((row.last_error or "").split()))),
    )


def _hand_overs(row: ObjectRow) -> str:
    if not row.handovers:
        return UNKNOWN
    return f"{many(row.handovers, 'time')}, {in_bytes(row.handed_bytes)} not copied"


def _versions(row: ObjectRow) -> str:
    if not row.versions:
        return UNKNOWN
    words = f"{row.versions} in {in_bytes(row.version_bytes)}"
    if row.mapped_bytes:
        words += f", {in_bytes(row.mapped_bytes)} mapped"
    if row.awaited:
        words += f", {row.awaited} awaited"
    return words


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.splitlines()))


def _left_out(count: int) -> str:
    return f"and {many(count, 'more object')} reached through these"


def _shorten(text: str) -> str:
    return text if len(text) <= MOST_CHARS else text[: MOST_CHARS - 3] + "..."
