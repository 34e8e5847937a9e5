"""
Lines of progress as text, and as HTML that says the same without styles.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .progress import Line, Piece

__all__ = ["as_html", "as_text"]

MARKS = {"running": "●", "ended": "✓", "stopped": "■", "broken": "✕"}
CLASSES = {"ended": " end", "stopped": " end stop", "broken": " end broke"}
TAGS = {"number": ("<b>", "</b>"), "code": ("<code>", "</code>")}
TAGS["bad"] = ('<span class="bad">', "</span>")
SEPARATOR = '<span class="sep"> · </span>'
#: Characters of a bar.
BAR = 26
STYLES = """\
.duck-progress{font:13px/22px var(--jp-ui-font-family,system-ui,sans-serif);\
font-variant-numeric:tabular-nums;color:var(--jp-ui-font-color1,inherit);padding:2px 0}
.duck-progress code{font:600 12px var(--jp-code-font-family,monospace);color:inherit;\
background:none;padding:0}
.duck-progress .run{display:grid;grid-template-columns:10px minmax(64px,max-content) \
minmax(80px,1fr) minmax(0,4fr);gap:0 10px;align-items:center;height:24px}
.duck-progress .mk{width:8px;height:8px;border-radius:50%;\
background:var(--jp-success-color1,#388e3c);font-size:0}
.duck-progress progress{width:100%;height:10px;\
accent-color:var(--jp-brand-color1,#1976d2)}
.duck-progress .f{display:flex;flex-wrap:wrap;gap:0 14px;height:22px;overflow:hidden;\
white-space:nowrap;color:var(--jp-ui-font-color2,#666)}
.duck-progress .f b{font-weight:400;color:var(--jp-ui-font-color1,inherit)}
.duck-progress .f .bad{color:var(--jp-error-color1,#d32f2f);font-weight:600}
.duck-progress .end{grid-template-columns:10px minmax(64px,max-content) minmax(0,1fr)}
.duck-progress .end .mk{width:10px;height:10px;border-radius:0;\
background:var(--jp-ui-font-color2,#777);\
clip-path:polygon(36% 66%,88% 8%,100% 22%,38% 94%,0 56%,13% 42%)}
.duck-progress .end.stop .mk{width:8px;height:8px;border-radius:1px;clip-path:none}
.duck-progress .end.broke .mk{width:8px;height:8px;\
background:var(--jp-error-color1,#d32f2f);clip-path:polygon(20% 0,50% 30%,80% 0,\
100% 20%,70% 50%,100% 80%,80% 100%,50% 70%,20% 100%,0 80%,30% 50%,0 20%)}
.duck-progress .in{padding-left:20px;font-size:12px;line-height:18px;\
color:var(--jp-ui-font-color2,#666)}
.duck-progress summary{cursor:pointer}
.duck-progress .in code{font-weight:400;font-size:11px}
.duck-progress .in ul{margin:2px 0 4px;padding-left:16px}
.duck-progress .sep{display:none}
"""


def as_text(lines: Sequence[Line], more: int = 0) -> str:
    """
    Write lines as text; facts of lines that run are below each other.

    Args:
        lines: The lines.
        more: How many pools have no line.
    """
    name_width = max((len(line.name) for line in lines), default=0)
    columns = [
        [_plain(fact) for fact in line.facts]
        for line in lines
        if line.state == "running"
    ]
    is_aligned = len({len(column) for column in columns}) == 1
    widths = [max(map(len, column)) for column in zip(*columns, strict=False)]
    found = []
    for line in lines:
        mark, name = MARKS[line.state], line.name.ljust(name_width)
        facts = [_plain(fact) for fact in line.facts]
        if line.state != "running":
            found.append(f"{mark} {name}  {', '.join(facts)}")
            if line.insight:
                words = _plain(line.insight)
                head, slowest, tail = words.partition(" · slowest ")
                found.append(
                    f"  {head.replace(' · ', ', ')}"
                    + (f"; slowest {tail}" if slowest else "")
                )
            continue
        if is_aligned:
            facts = [fact.rjust(w) for fact, w in zip(facts, widths, strict=True)]
        found.append(f"{mark} {name}  {_bar(line)}{'  '.join(facts)}")
    if more:
        found.append(_more(more))
    return "\n".join(found)


def as_html(lines: Sequence[Line], more: int = 0) -> str:
    """
    Write lines as HTML, without scripts, for a viewer that may drop the styles.

    Args:
        lines: The lines.
        more: How many pools have no line.
    """
    rows = "".join(map(_row, lines))
    if more:
        rows += f'<div class="in">{_more(more)}</div>'
    return f'<style>{STYLES}</style><div class="duck-progress">{rows}</div>'


def _row(line: Line) -> str:
    facts = SEPARATOR.join(f"<span>{_marked(fact)}</span>" for fact in line.facts)
    bar = ""
    if line.total is not None:
        bar = f'<progress max="{line.total}" value="{line.done}"></progress> '
    elif line.state == "running":
        bar = "<span>–</span> "  # noqa: RUF001 - a dash
    row = (
        f'<div class="run{CLASSES.get(line.state, "")}">'
        f'<span class="mk">{MARKS[line.state]}</span> '
        f'<code>{escape(line.name)}</code> {bar}<span class="f">{facts}</span></div>'
    )
    if not line.insight:
        return row
    inner = _marked(line.insight)
    if line.details:
        items = "".join(f"<li>{_marked(each)}</li>" for each in line.details)
        inner = f"<details><summary>{inner}</summary><ul>{items}</ul></details>"
    return f'{row}<div class="in">{inner}</div>'


def _marked(pieces: Sequence[Piece]) -> str:
    words = []
    for piece in pieces:
        opening, closing = TAGS.get(piece.style, ("", ""))
        words.append(f"{opening}{escape(piece.text)}{closing}")
    return "".join(words)


def _plain(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _bar(line: Line) -> str:
    if line.total is None or line.done is None:
        return ""
    full = BAR * line.done // max(line.total, 1)
    return "━" * min(full, BAR) + "─" * (BAR - min(full, BAR)) + "  "


def _more(count: int) -> str:
    return f"and {count} more pool{'s' if count > 1 else ''}"
