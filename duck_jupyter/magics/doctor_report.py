"""
DoctorReport: the report of the doctor, as text and as HTML.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from ..protocol.escaping import printable
from .share_table import html_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..session.doctor import Section

__all__ = ["DoctorReport"]

#: Columns of text; the others hold numbers.
WORDS = frozenset({"Room", "Folder", "Held", "Left-over", "Kind"})


class DoctorReport:
    """
    The value of ``%duck doctor``.

    Args:
        sections: The report as text.
    """

    def __init__(self, sections: Sequence[Section]) -> None:
        self.sections: tuple[Section, ...] = tuple(sections)

    def __repr__(self) -> str:
        parts = []
        for sentence, headings, rows in self.sections:
            cells = [[printable(cell) for cell in row] for row in rows]
            table = ["", *lines_of(headings, cells, WORDS)] if rows else []
            parts.append("\n".join([printable(sentence), *table]))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        parts = []
        for sentence, headings, rows in self.sections:
            parts.append(f"<p>{html.escape(sentence)}</p>")
            if rows:
                parts.append(html_of(headings, rows, WORDS))
        return "".join(parts)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}
