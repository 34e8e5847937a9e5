"""
Keyboard: reads single keys in a terminal.
"""

from __future__ import annotations

import select
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from prompt_toolkit.input.vt100 import Vt100Input

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["END", "Keyboard", "keyboard"]

#: Is read if the terminal was closed.
END = "end of input"
#: After so many seconds an escape is a key, and not the first byte of another key.
ESCAPE_S = 0.05
#: The index of the control characters in the attributes of `termios`, and no character.
CHARACTERS, DISABLED = 6, b"\0"
#: Our names of keys, by those of prompt_toolkit.
NAMES = {
    "c-i": "tab",
    "s-tab": "back tab",
    "c-m": "enter",
    "c-j": "enter",
    "c-h": "backspace",
}


class Keyboard:
    """
    The keys that are pressed in a terminal.

    Args:
        file: The terminal.
    """

    def __init__(self, file: TextIO) -> None:
        self._input = Vt100Input(file)

    def fileno(self) -> int:
        """
        Return the descriptor that is readable when a key was pressed.
        """
        return self._input.fileno()

    def read(self) -> list[str]:
        """
        Return the pressed keys without waiting: ``"q"``, ``"up"``, ``"enter"``.
        """
        if not self._waits(0):
            return []
        keys = self._input.read_keys()
        if not keys and not self._waits(ESCAPE_S):
            keys = self._input.flush_keys()
        if self._input.closed:
            return [END]
        # A special key is a member of an enumeration; other keys are strings.
        names = [str(getattr(key.key, "value", key.key)) for key in keys]
        return [NAMES.get(name, name) for name in names]

    def _waits(self, seconds: float) -> bool:
        return bool(select.select([self.fileno()], [], [], seconds)[0])


@contextmanager
def keyboard(file: TextIO) -> Iterator[Keyboard]:
    """
    Read single keys for a while. Ctrl-C still interrupts.

    Args:
        file: A terminal.
    """
    before = termios.tcgetattr(file)
    try:
        tty.setcbreak(file, termios.TCSANOW)
        now = termios.tcgetattr(file)
        # Disable Ctrl-Z: a stopped process cannot restore the screen.
        now[CHARACTERS][termios.VSUSP] = DISABLED
        termios.tcsetattr(file, termios.TCSANOW, now)
        yield Keyboard(file)
    finally:
        termios.tcsetattr(file, termios.TCSANOW, before)
