"""
Cells: runs code in a shell as a notebook does.
"""

from __future__ import annotations

import re
import threading
from typing import Any

from IPython.core.error import UsageError

__all__ = ["Cells", "own_threads", "uncoloured"]

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Cells:
    """
    A notebook without a front end.

    Args:
        shell: What runs the cells.
    """

    # Some versions of IPython have types for what is used here, and some have not.
    def __init__(self, shell: Any) -> None:
        self.shell = shell

    def run(self, code: str) -> Any:
        """
        Run a cell, and give the value of its last line.

        Raises:
            BaseException: What the cell raises.
        """
        result = self.shell.run_cell(code)
        result.raise_error()
        return result.result

    def mistake(self, code: str) -> str:
        """
        Run a cell that is to end in one clear line, and give that line.
        """
        error = self.shell.run_cell(code).error_in_exec
        assert type(error) is UsageError, repr(error)
        line = str(error)
        assert line
        assert "\n" not in line
        return line

    def __getitem__(self, variable: str) -> Any:
        return self.shell.user_ns[variable]


def own_threads() -> list[str]:
    """
    Name the threads of the project.
    """
    return [t.name for t in threading.enumerate() if t.name.startswith("duck-")]


def uncoloured(text: str) -> str:
    """
    Give what a shell has printed, without colours.
    """
    return COLOUR.sub("", text)
