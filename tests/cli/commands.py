"""
The commands of the terminal, run without one and in one.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

from duck_jupyter.cli.app import main
from duck_jupyter.pools.standstill import progress_of
from tests.support.processes import ROOT, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.pools.standstill import Progress

__all__ = ["CODE", "DEADLINE_S", "Terminal", "duck", "terminal"]

DEADLINE_S = 30.0
CODE = "import sys; from duck_jupyter.cli.app import main; sys.exit(main())"
CHUNK = 65536
#: Where `termios` has the modes of a terminal that are no other's.
LOCAL_MODES = 3
#: What a screen begins with.
HOME = "\x1b[H"
#: Codes of a terminal: colours, and where the cursor goes.
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


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
            AssertionError: It ended before, or took too long.
        """
        while text not in self.shown:
            assert self._read(), f"{text!r} was not shown, but {self.shown!r}"
        return self.shown

    def frame(self, *texts: str, without: str = "\0") -> list[str]:
        """
        Wait for a screen that has some texts, and give its lines.

        Args:
            texts: What it has.
            without: What it has not.

        Raises:
            AssertionError: The command ended before, or took too long.
        """
        while True:
            lines = self._last_frame()
            text = "\n".join(lines)
            if lines and without not in text and all(one in text for one in texts):
                return lines
            assert self._read(), f"{texts!r} were not shown, but:\n{text}"

    def _last_frame(self) -> list[str]:
        """
        Give the lines of the last whole screen.
        """
        for part in reversed(self.shown.split(HOME)[1:]):
            lines = CODES.sub("", part).split("\r\n")
            if len(lines) == self.size[1]:
                return [line.rstrip() for line in lines]
        return []

    @property
    def size(self) -> tuple[int, int]:
        """
        Columns and lines.
        """
        columns, lines = os.get_terminal_size(self._keys)
        return columns, lines

    def resize(self, columns: int, lines: int) -> None:
        """
        Make it another size.
        """
        set_size(self._keys, columns, lines)

    @property
    def echoes(self) -> bool:
        """
        What is typed is shown, as before a command that reads single keys.
        """
        return bool(termios.tcgetattr(self._keys)[LOCAL_MODES] & termios.ECHO)

    def _read(self) -> bool:
        if not select.select([self._keys], [], [], DEADLINE_S)[0]:
            return False
        data = b""
        # Where the other end is closed, Linux says so with an error.
        with suppress(OSError):
            data = os.read(self._keys, CHUNK)
        self.shown += data.decode(errors="replace")
        return bool(data)

    def type(self, text: str) -> None:
        """
        Type something.
        """
        os.write(self._keys, text.encode())

    def rest(self) -> None:
        """
        Wait until it waits for keys.

        Python sees a Ctrl-C that comes just before a wait only when the next key comes.
        """
        last: Progress | None = None

        def is_at_rest() -> bool:
            nonlocal last
            before, last = last, progress_of(self.process.pid)
            return last == before and last.state == "S"

        assert wait_until(is_at_rest, DEADLINE_S)

    def end(self) -> int:
        """
        Take what it still shows until it has ended, and give its exit code.
        """
        while self._read():
            pass
        return self.process.wait(DEADLINE_S)


@contextmanager
def terminal(
    *words: str, size: tuple[int, int] = (80, 24), keys: bool = True
) -> Iterator[Terminal]:
    """
    Run a command in a terminal, and end it.

    Args:
        words: What follows ``jupyter duck``.
        size: Columns and lines.
        keys: They reach the command, and not only what it shows.
    """
    ours, theirs = pty.openpty()
    set_size(ours, *size)
    fixed = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
    env = {name: value for name, value in os.environ.items() if name not in fixed}
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *words],
        cwd=ROOT,
        env={**env, "TERM": "xterm"},
        stdin=theirs if keys else subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        # The terminal is its own, so Ctrl-C reaches it.
        preexec_fn=take_terminal if keys else os.setsid,
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


def set_size(terminal: int, columns: int, lines: int) -> None:
    """
    Set the size of a terminal.
    """
    # `termios.tcsetwinsize` is there from Python 3.11 on.
    size = struct.pack("HHHH", lines, columns, 0, 0)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)


def take_terminal() -> None:
    """
    Make the terminal at the standard input that of this process.
    """
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
