"""
``jupyter duck top``: the snapshots of a kernel, live, once, or as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

import msgspec
from rich.console import Group
from rich.live import Live

from ..errors import NotShared
from .keys import keyboard
from .lists import lists_of
from .rates import Window
from .screen import frame_of, report_of
from .view import View

if TYPE_CHECKING:
    from rich.console import Console

    from ..session.snapshot import Snapshot
    from .kernels import KernelLink
    from .watching import Watching

__all__ = ["print_all", "print_once", "show_live"]

#: Seconds between the two snapshots of which rates are made.
APART_S = 1.0


def print_once(link: KernelLink, console: Console, *, as_json: bool) -> None:
    """
    Print the present state of a kernel.
    """
    snapshot = link.look()
    if as_json:
        _print(snapshot)
        return
    window = Window()
    window.add(snapshot)
    # Rates need two snapshots.
    threading.Event().wait(APART_S)
    snapshot = link.look()
    window.add(snapshot)
    for line in report_of(snapshot, window, console.width):
        console.print(line, soft_wrap=True)


def print_all(watched: Watching) -> None:
    """
    Print each snapshot as one line of JSON, without end.
    """
    _print(watched.begin())
    while True:
        _print(watched.next())


def _print(snapshot: Snapshot) -> None:
    text = msgspec.json.encode(snapshot).decode()
    if not text.isprintable():
        # Names may have control codes of a terminal; JSON can escape them.
        text = "".join(one if one.isprintable() else _escaped(one) for one in text)
    print(text, flush=True)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def show_live(watched: Watching, console: Console, title: str) -> None:
    """
    Show a kernel until the user quits.

    Args:
        watched: The kernel.
        console: The terminal.
        title: The name of its notebook.
    """
    window, note = Window(), ""
    snapshot = watched.begin()
    window.add(snapshot)
    view = View() if sys.stdin.isatty() else None

    def frame(size: tuple[int, int]) -> Group:
        return Group(*frame_of(snapshot, window, view, size, title, note))

    size = console.size
    live = Live(frame(size), console=console, screen=True, auto_refresh=False)
    with keyboard(sys.stdin) if view else nullcontext() as keys:
        try:
            live.start(refresh=True)
            while True:
                before = (snapshot, note, size)
                try:
                    found = watched.poll(keys.fileno() if keys else None)
                    if found is not None:
                        snapshot, note = found, ""
                        window.add(found)
                except NotShared as error:
                    # The kernel may continue later.
                    note = str(error)
                pressed = keys.read() if keys else []
                for key in pressed:
                    if view and not view.press(key, lists_of(snapshot, window)):
                        return
                size = console.size
                if pressed or (snapshot, note, size) != before:
                    live.update(frame(size), refresh=True)
        finally:
            # Also if a signal interrupted its start.
            live.stop()
