"""
Table: what is shared, as text and as HTML.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..session.overview import Overview, Row

__all__ = ["Table"]

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
    "Last error",
)
#: Columns of words; the others hold numbers.
WORDS = frozenset({"Name", "Type", "Mode", "Last error"})
UNKNOWN = "–"  # noqa: RUF001 - a dash
MOST_CHARS = 60


class Table:
    """
    What a session shared at one moment; `%share` and ``%duck status`` give it.

    Args:
        overview: The session at that moment.
    """

    def __init__(self, overview: Overview) -> None:
        self.overview = overview

    def __repr__(self) -> str:
        state, rows, left_out = self.overview
        if not rows:
            return state
        lines = [HEADINGS, *(_cells(row) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines.insert(1, tuple("-" * width for width in widths))
        text = [state, ""]
        for line in lines:
            cells = [
                cell.ljust(width) if heading in WORDS else cell.rjust(width)
                for cell, width, heading in zip(line, widths, HEADINGS, strict=True)
            ]
            text.append("  ".join(cells).rstrip())
        if left_out:
            text.append(_left_out(left_out))
        return "\n".join(text)

    def _repr_html_(self) -> str:
        state, rows, left_out = self.overview
        parts = [f"<p>{html.escape(state)}</p>"]
        if rows:
            head = "".join(_cell("th", name, name) for name in HEADINGS)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>")
            for row in rows:
                cells = zip(HEADINGS, _cells(row), strict=True)
                body = "".join(_cell("td", name, cell) for name, cell in cells)
                error = html.escape(row.last_error or "")
                hint = f' title="{error}"' if error else ""
                parts.append(f"<tr{hint}>{body}</tr>")
            parts.append("</tbody></table>")
        if left_out:
            parts.append(f"<p>{html.escape(_left_out(left_out))}</p>")
        return "".join(parts)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def _cell(tag: str, heading: str, text: str) -> str:
    side = "left" if heading in WORDS else "right"
    scope = ' scope="col"' if tag == "th" else ""
    return f'<{tag}{scope} style="text-align: {side}">{html.escape(text)}</{tag}>'


def _cells(row: Row) -> tuple[str, ...]:
    if row.peak:
        # Past its end a frame travels in a block of its own.
        fill = f"{row.last / row.bufsize:.0%}, peak {row.peak / row.bufsize:.0%}"
        fill += f" of {in_bytes(row.bufsize)}"
    else:
        fill = f"0 of {in_bytes(row.bufsize)}"
    return (
        _shorten("  " * row.level + row.name),
        _shorten(row.type_name),
        row.size or UNKNOWN,
        str(row.level),
        row.mode,
        f"{row.workers:,}",
        f"{row.calls:,}",
        in_bytes(row.bytes),
        fill,
        _shorten(" ".join((row.last_error or "").split())),
    )


def _left_out(count: int) -> str:
    objects = "1 more object" if count == 1 else f"{count:,} more objects"
    return f"and {objects} reached through these"


def _shorten(text: str) -> str:
    return text if len(text) <= MOST_CHARS else text[: MOST_CHARS - 3] + "..."


def in_bytes(count: int) -> str:
    """
    Write a number of bytes with at most three figures and a unit.
    """
    if count < 1024:
        return f"{count} B"
    size = float(count)
    for unit in ("KB", "MB", "GB", "TB"):
        size /= 1024
        if size < 1000 or unit == "TB":
            break
    digits = 2 if size < 10 else 1 if size < 100 else 0
    return f"{size:.{digits}f} {unit}"
