"""
ShellNotebook: the services of IPython and its kernel for pools.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["ShellNotebook"]


class ShellNotebook:
    """
    The notebook of a shell.

    Args:
        shell: The shell. In a terminal it has no kernel, and all output is printed.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        # Its annotations differ between versions of IPython.
        self._shell: Any = shell
        self._kernel: Any = getattr(shell, "kernel", None)

    @property
    def has_kernel(self) -> bool:
        """
        Whether it has outputs below cells; a terminal has none.
        """
        return self._kernel is not None

    def header(self) -> Any:
        """
        Return the header of the cell that this thread works for, or None.
        """
        return None if self._kernel is None else self._kernel.get_parent("shell")

    def write(self, header: Any, stream: str, text: str) -> None:
        """
        Show text under a cell; the stream is "stdout" or "stderr".
        """
        if self._kernel is None:
            file = getattr(sys, stream)
            file.write(text)
            file.flush()
            return
        self.show(header, "stream", {"name": stream, "text": text})

    def show(self, header: Any, kind: str, content: dict[str, Any]) -> None:
        """
        Publish a message of the kernel under a cell.
        """
        kernel = self._kernel
        if kernel is None:
            text = content.get("data", {}).get("text/plain")
            if text:
                self.write(header, "stdout", f"{text}\n")
            return
        # The socket passes it to the thread that owns the real one.
        topic = f"kernel.{kernel.ident}.{kind}".encode()
        kernel.session.send(
            kernel.iopub_socket, kind, content, parent=header, ident=topic
        )

    def render(self, error: BaseException, trace: TracebackType) -> list[str]:
        """
        Format an error in the notebook's style.
        """
        shown = self._shell.InteractiveTB
        lines: list[str] = shown.structured_traceback(
            type(error), error, trace, tb_offset=shown.tb_offset
        )
        return lines
