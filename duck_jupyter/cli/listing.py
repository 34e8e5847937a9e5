"""
Lists in a terminal, and texts that fit in their columns.

Every text from a kernel goes through `foreign`, so no name and no message reaches the
terminal as a control code.
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
    #: Its width in cells; 0 takes the rest of the line.
    width: int
    is_right: bool = False
    #: The smallest width of a terminal that shows it.
    from_width: int = 0
    #: Whether a text that is too long loses its middle and keeps its end.
    keeps_end: bool = False


class Listing(ABC):
    """
    A list that can be shown.

    Args:
        keys: The identity of each row, which stays when other rows come and go.
    """

    #: The text in place of rows if there are none.
    nothing: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    #: Whether its tab is there without rows.
    has_empty_tab: ClassVar[bool] = True
    #: The number of further rows that the kernel does not send.
    unlisted: int = 0

    def __init__(self, keys: Sequence[Hashable]) -> None:
        self.keys = keys

    @abstractmethod
    def title(self) -> Text:
        """
        Return the name of the list, its length, and what is wrong.
        """

    @abstractmethod
    def cells(self, at: int) -> list[Text]:
        """
        Return the cells of a row, one for each column.
        """

    @abstractmethod
    def more(self, at: int) -> list[Text]:
        """
        Return all details of a row, as paragraphs.
        """


def foreign(text: str, style: str = "") -> Text:
    """
    Escape a text from a kernel, which may contain any characters.
    """
    return Text(printable(text), style)


def lines_of(text: str, style: str = "") -> list[Text]:
    """
    Escape a text of several lines from a kernel.
    """
    return [foreign(line, style) for line in text.splitlines()]


def fitting(text: Text, width: int, *, keeps_end: bool) -> Text:
    """
    Shorten a text to a number of cells.

    Args:
        text: One line.
        width: The cells.
        keeps_end: Whether it loses its middle and not its end.
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
