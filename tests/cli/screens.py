"""
Snapshots as a terminal shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duck_jupyter.cli.lists import lists_of
from duck_jupyter.cli.rates import Window
from duck_jupyter.cli.screen import frame_of, report_of
from duck_jupyter.cli.view import View

if TYPE_CHECKING:
    from duck_jupyter.session.snapshot import Snapshot

__all__ = ["SMALL", "frame", "line_of", "shown", "window_of"]

SMALL = (80, 24)


def window_of(*snapshots: Snapshot) -> Window:
    """
    Make a window of snapshots.
    """
    window = Window()
    for one in snapshots:
        window.add(one)
    return window


def shown(snapshot: Snapshot, width: int = 200, *before: Snapshot) -> str:
    """
    Write a snapshot down as plain text.
    """
    lines = report_of(snapshot, window_of(*before, snapshot), width)
    return "\n".join(line.plain for line in lines)


def frame(
    snapshot: Snapshot,
    *keys: str,
    size: tuple[int, int] = SMALL,
    title: str = "",
    note: str = "",
) -> list[str]:
    """
    Draw a snapshot on a screen, after some keys.
    """
    window, view = window_of(snapshot), View()
    for key in keys:
        # A screen is drawn before each key.
        frame_of(snapshot, window, view, size, title, note)
        assert view.press(key, lists_of(snapshot, window))
    lines = frame_of(snapshot, window, view, size, title, note)
    return [line.plain.rstrip() for line in lines]


def line_of(text: str | list[str], begin: str) -> str:
    """
    Give the one line that begins so: of a screen, the row of a list.
    """
    lines = text.splitlines() if isinstance(text, str) else text
    rule = next((at for at, line in enumerate(lines) if line.startswith("──")), None)
    found = [line.lstrip("> ") for line in lines[:rule]]
    (line,) = [line for line in found if line.startswith(begin)]
    return line
