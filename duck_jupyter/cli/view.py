"""
The state of the screen of ``jupyter duck top``, and what keys do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .keys import END

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from .listing import Listing

__all__ = ["HELP", "View"]

#: The page of ``?``.
HELP = """\
Keys
  q, Ctrl-C      quit; the kernel goes on
  tab, → and ←   next list, previous list: objects, workers, errors, tasks
  o, w, e, t     objects, workers, errors, tasks
  ↑ and ↓, k, j  choose a row; its details are below the list
  page up, page down, home, end
  enter          all details of the row, on a page of its own
  esc            back

What is shown
  Calls/s        calls in a second, over the last 2 s
  p50, p99       half of the calls took less time, 99 of 100 did
  Waiting        of an object: calls that wait for its answer now;
                 of a worker: the share of the last minute that it spent
                 between request and answer; of tasks: that of their workers
  Buffer fill    the last frame's share of the buffer. A larger frame is sent
                 outside it, which is slower and does no harm
  ×14            objects of the same path, or errors of the same kind
  ✂              a path that was cut, because it was longer than allowed
"""  # noqa: RUF001 - times


class View:
    """
    The list on the screen, its chosen row, and the position of a page.
    """

    def __init__(self) -> None:
        #: The number of the list.
        self.pane: int = 0
        #: ``"help"``, ``"row"``, or empty if no page covers the list.
        self.page: str = ""
        #: Lines of the page that are above the screen.
        self.scrolled: int = 0
        #: Rows that fit on the screen; set by the code that draws them.
        self.room = 1
        self._chosen: dict[int, tuple[Hashable, int]] = {}
        self._first: dict[int, int] = {}

    def row(self, listing: Listing) -> int:
        """
        Return the number of the chosen row; rows above it may have come or gone.
        """
        key, at = self._chosen.get(self.pane, (None, 0))
        if key in listing.keys:
            return listing.keys.index(key)
        return max(0, min(at, len(listing.keys) - 1))

    def first(self, listing: Listing) -> int:
        """
        Return the number of the first visible row; the chosen one is visible then.
        """
        at = self.row(listing)
        first = min(self._first.get(self.pane, 0), at)
        first = max(0, first, at - self.room + 1)
        first = min(first, max(0, len(listing.keys) - self.room))
        self._first[self.pane] = first
        return first

    def press(self, key: str, lists: Sequence[Listing]) -> bool:
        """
        Do what a key does.

        Args:
            key: Its name.
            lists: The present lists.

        Returns:
            False if the key quits.
        """
        if key in ("q", "Q", END):
            return False
        if key in ("?", "h"):
            self._turn_to("" if self.page == "help" else "help")
        elif key in ("escape", "backspace"):
            self._turn_to("")
        elif key == "enter":
            has_rows = bool(lists[self.pane].keys)
            self._turn_to("row" if has_rows and not self.page else "")
        elif key in ("tab", "right"):
            self._show((self.pane + 1) % len(lists))
        elif key in ("back tab", "left"):
            self._show((self.pane - 1) % len(lists))
        elif key in ("o", "w", "e", "t"):
            self._show("owet".index(key))
        else:
            self._move(key, lists[self.pane])
        return True

    def _turn_to(self, page: str) -> None:
        self.page, self.scrolled = page, 0

    def _show(self, pane: int) -> None:
        self._turn_to("")
        self.pane = pane

    def _move(self, key: str, listing: Listing) -> None:
        last = len(listing.keys) - 1
        far = last + 10**6
        by = {
            **{"up": -1, "k": -1, "down": 1, "j": 1},
            **{"pageup": -self.room, "pagedown": self.room, " ": self.room},
            **{"home": -far, "end": far},
        }.get(key, 0)
        if self.page:
            self.scrolled = max(0, self.scrolled + by)
        elif by and last >= 0:
            at = max(0, min(self.row(listing) + by, last))
            self._chosen[self.pane] = (listing.keys[at], at)
