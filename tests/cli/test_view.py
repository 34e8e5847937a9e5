"""
What keys do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from duck_jupyter.cli.keys import END
from duck_jupyter.cli.lists import lists_of
from duck_jupyter.cli.rates import Window
from duck_jupyter.cli.view import HELP, View
from tests.support.snapshots import golden

if TYPE_CHECKING:
    from duck_jupyter.session.snapshot import Snapshot

change = msgspec.structs.replace


class Watcher:
    """
    Somebody who looks at a snapshot, and presses keys.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.view = View()
        self.show(snapshot)

    def show(self, snapshot: Snapshot) -> None:
        """
        Look at another snapshot.
        """
        window = Window()
        window.add(snapshot)
        self.lists = lists_of(snapshot, window)

    def press(self, *keys: str) -> bool:
        """
        Press keys, and tell whether it goes on.
        """
        return all(self.view.press(key, self.lists) for key in keys)

    @property
    def row(self) -> int:
        """
        The number of the chosen row.
        """
        return self.view.row(self.lists[self.view.pane])

    @property
    def first(self) -> int:
        """
        The number of the first row on the screen.
        """
        return self.view.first(self.lists[self.view.pane])


@pytest.mark.parametrize("key", ["q", "Q", END])
def test_it_quits(key: str) -> None:
    assert not Watcher(golden()).press(key)


@pytest.mark.parametrize(
    ("keys", "pane"),
    [
        ((), 0),
        (("tab",), 1),
        (("tab", "tab"), 2),
        (("tab", "tab", "tab"), 3),
        (("tab", "tab", "tab", "tab"), 0),
        (("back tab",), 3),
        (("t",), 3),
        (("right", "right", "left"), 1),
        (("e",), 2),
        (("e", "w"), 1),
        (("w", "o"), 0),
    ],
)
def test_lists_are_turned_over(keys: tuple[str, ...], pane: int) -> None:
    watcher = Watcher(golden())
    assert watcher.press(*keys)
    assert watcher.view.pane == pane


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        (("down", "j"), 2),
        (("down", "down", "up"), 1),
        (("up",), 0),
        (("end",), 5),
        (("end", "down"), 5),
        (("end", "home"), 0),
        (("pagedown",), 3),
        (("end", "pageup"), 2),
        (("x", "delete"), 0),
    ],
)
def test_rows_are_chosen(keys: tuple[str, ...], row: int) -> None:
    watcher = Watcher(golden())
    watcher.view.room = 3
    assert watcher.press(*keys)
    assert watcher.row == row
    assert watcher.first <= row < watcher.first + 3


def test_each_list_keeps_its_row() -> None:
    watcher = Watcher(golden())
    watcher.press("down", "tab", "down", "down", "back tab")
    assert watcher.row == 1
    watcher.press("tab")
    assert watcher.row == 2


def test_the_chosen_row_stays_while_others_come_and_go() -> None:
    first = golden()
    watcher = Watcher(first)
    watcher.press("down")
    new = [change(first.objects[0], idx=100 + i) for i in range(3)]
    watcher.show(change(first, objects=[*new, *first.objects]))
    assert watcher.row == 4
    watcher.show(change(first, objects=first.objects[:1], chains=[]))
    assert watcher.row == 0


def test_a_page_covers_the_list_until_it_is_left() -> None:
    watcher = Watcher(golden())
    for key, page in (
        *(("enter", "row"), ("escape", ""), ("?", "help"), ("?", ""), ("h", "help")),
        *(("enter", ""), ("enter", "row"), ("?", "help"), ("backspace", "")),
        *(("enter", "row"), ("tab", "")),
    ):
        watcher.press(key)
        assert watcher.view.page == page, key


def test_arrows_scroll_a_page_and_leave_the_row() -> None:
    watcher = Watcher(golden())
    watcher.press("down", "enter", "down", "down", "up")
    assert (watcher.view.scrolled, watcher.row) == (1, 1)


def test_an_empty_list_has_no_page() -> None:
    watcher = Watcher(change(golden(), errors=[]))
    watcher.press("e", "down", "enter")
    assert (watcher.view.page, watcher.row) == ("", 0)


def test_the_help_fits_on_a_small_screen() -> None:
    assert max(map(len, HELP.splitlines())) <= 80
    assert len(HELP.splitlines()) <= 24 - 5
