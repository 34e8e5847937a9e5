"""
The functions of IPython and the kernel that pools need.

The extension provides them. In a script, without the extension, nothing is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Notebook", "Place", "notebook"]


class Notebook(Protocol):
    """
    Shows texts and objects in a notebook. Any thread may call it.
    """

    @property
    def has_kernel(self) -> bool:
        """
        Whether it has outputs below cells; a terminal has none.
        """

    def header(self) -> Any:
        """
        Return what names the cell that this thread works for, or None.
        """

    def write(self, header: Any, stream: str, text: str) -> None:
        """
        Show text under a cell; the stream is "stdout" or "stderr".
        """

    def show(self, header: Any, kind: str, content: dict[str, Any]) -> None:
        """
        Publish a message of the kernel under a cell.
        """

    def render(self, error: BaseException, trace: TracebackType) -> list[str]:
        """
        Format an error in the notebook's style.
        """


class Place:
    """
    Where the notebook is, if there is one.
    """

    def __init__(self) -> None:
        self.shown: Notebook | None = None
        #: The number of the cell that runs, In [number], if it is known.
        self.cell: int | None = None

    def header(self) -> Any:
        """
        Return what names the cell that this thread works for, or None.
        """
        return None if self.shown is None else self.shown.header()


#: That of this process.
notebook: Place = Place()
