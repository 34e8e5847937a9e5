"""
A list that a terminal can show, and texts that fit in its columns.

Whatever comes from a kernel goes through `foreign`, so no name and no message can reach
the terminal as a code.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from ..protocol.escaping import printable

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

__all__ = ["Column", "Listing", "fitting", "foreign", "lines_of"]


class Column(NamedTuple):
    """
    One column of a list.
    """

    heading: str
    #: Cells that it takes; 0 for what the others leave.
    width: int
    is_right: bool = False
    #: The width of the terminal from which on it is shown.
    from_width: int = 0
    #: Where it is too narrow a text loses its middle, and keeps its end.
    keeps_end: bool = False


class Listing(ABC):
    """
    A list that can be shown.

    Args:
        keys: For each row what it is known by, whatever rows come and go.
    """

    #: What is shown where it has no rows.
    nothing: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    #: How many more there are than the kernel sends.
    unlisted: int = 0

    def __init__(self, keys: Sequence[Hashable]) -> None:
        self.keys = keys

    @abstractmethod
    def title(self) -> Text:
        """
        Name the list, say how long it is, and what is wrong.
        """

    @abstractmethod
    def cells(self, at: int) -> list[Text]:
        """
        Give a row: a cell for each column.
        """

    @abstractmethod
    def more(self, at: int) -> list[Text]:
        """
        Give all that is known of a row, as paragraphs.
        """


def foreign(text: str, style: str = "") -> Text:
    """
    Take a text from a kernel, which may have anything in it.
    """
    return Text(printable(text), style)


def lines_of(text: str, style: str = "") -> list[Text]:
    """
    Take a text of several lines from a kernel.
    """
    return [foreign(line, style) for line in text.splitlines()]


def fitting(text: Text, width: int, *, keeps_end: bool) -> Text:
    """
    Shorten a text to a number of cells.

    Args:
        text: One line.
        width: The cells.
        keeps_end: It loses its middle, and not its end.
    """
    if not keeps_end or text.cell_len <= width:
        text.truncate(width, overflow="ellipsis")
        return text
    tail = (width - 1) * 2 // 3
    head = width - 1 - tail
    begin, end = 0, len(text)
    while cell_len(text.plain[: begin + 1]) <= head:
        begin += 1
    while cell_len(text.plain[end - 1 :]) <= tail:
        end -= 1
    return Text.assemble(text[:begin], "…", text[end:])
