"""
The commands of the terminal, run without one and in one.
"""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

from duck_jupyter.cli.app import main
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CODE", "DEADLINE_S", "Terminal", "duck", "terminal"]

DEADLINE_S = 30.0
CODE = "import sys; from duck_jupyter.cli.app import main; sys.exit(main())"
CHUNK = 65536


class Done(NamedTuple):
    """
    How a command ended, and what it said.
    """

    returncode: int
    stdout: str
    stderr: str


def duck(*words: str) -> Done:
    """
    Run a command in this process, as without a terminal.

    Args:
        words: What follows ``jupyter duck``.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("COLUMNS", "250")
        patch.setattr(sys, "stdin", io.StringIO())
        try:
            code = main(words)
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


class Terminal:
    """
    A command in a terminal.
    """

    def __init__(self, process: subprocess.Popen[bytes], keys: int) -> None:
        self.process = process
        self._keys = keys
        self.shown = ""

    def until(self, text: str) -> str:
        """
        Wait until it has shown a text, and give all that it has shown.

        Raises:
            AssertionError: It ended before.
        """
        while text not in self.shown:
            data = b""
            # Where the other end is closed, Linux says so with an error.
            with suppress(OSError):
                data = os.read(self._keys, CHUNK)
            assert data, f"{text!r} was not shown, but {self.shown!r}"
            self.shown += data.decode(errors="replace")
        return self.shown

    def type(self, text: str) -> None:
        """
        Type something.
        """
        os.write(self._keys, text.encode())


@contextmanager
def terminal(*words: str) -> Iterator[Terminal]:
    """
    Run a command in a terminal, and end it.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *words],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", "LINES": "60", "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.terminate()
        # What it still shows has to be taken, or it never ends.
        with suppress(OSError):
            while os.read(ours, CHUNK):
                pass
        process.wait(DEADLINE_S)
        os.close(ours)
