"""
Chunks, in a worker: the items of a map that travel together, counted one by one.

Items that take microseconds are counted in blocks, so that it costs them nothing.
"""

from __future__ import annotations

import functools
import itertools
import time
from typing import TYPE_CHECKING, Any

from .meter import WORTH_WRITING_S
from .tasks import BATCH, WRAPPER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .board import Board
    from .meter import Meter

__all__ = ["count_items"]

#: Seconds. Where an item takes longer, each item is noted.
SLOW_ITEM_S = 20e-6
#: Items of a block at most.
BLOCK = 64


def count_items(
    function: Any, args: Any, board: Board, meter: Meter | None
) -> tuple[Any, int]:
    """
    Let a function that goes through several items count them.

    Args:
        function: What a pool calls.
        args: With what.
        board: Where the number of the item in hand is noted.
        meter: What counts, if tasks are counted.

    Returns:
        What to call in its place, and how many items it has; 0 if it has none.
    """
    name = getattr(function, "__name__", "")
    if name == "mapstar" or name == "starmapstar":
        is_star = name == "starmapstar"
        return functools.partial(walk, (board, meter), is_star), len(args[0][1])
    kind = type(function)
    if kind is functools.partial:
        name = getattr(function.func, "__name__", "")
        if name == "_process_chunk" and len(function.args) == 1:
            its = function.args[0]
            return functools.partial(walk_chunk, (board, meter), its), len(args[0])
    elif meter is not None and kind.__name__ in (BATCH, WRAPPER):
        batch = function.func if kind.__name__ == WRAPPER else function
        if type(batch).__name__ == BATCH:
            count = len(batch.items)
            batch.items = _Marked(batch.items, meter)
            return function, count
    return function, 0


class _Marked:
    """
    The calls of a batch of joblib, which are counted as they are taken.
    """

    def __init__(self, items: list[Any], meter: Meter) -> None:
        self._items = items
        self._meter = meter

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __iter__(self) -> Iterator[Any]:
        meter, clock = self._meter, time.monotonic
        before, short = clock(), 0
        for item in self._items:
            meter.call = item
            yield item
            now = clock()
            if now - before < SLOW_ITEM_S:
                short += 1
            else:
                if short:
                    meter.items(short, before)
                    short = 0
                meter.item(now, item[1], item[2])
            before = now
        if short:
            meter.items(short, before)


def walk_chunk(at: tuple[Board, Meter | None], function: Any, chunk: Any) -> list[Any]:
    """
    Do what ``_process_chunk`` of concurrent.futures does, and note the items.
    """
    return walk(at, True, (function, chunk))


def walk(
    at: tuple[Board, Meter | None], is_star: bool, chunk: tuple[Any, Any]
) -> list[Any]:
    """
    Do what ``mapstar`` does, and note the items.
    """
    function, items = chunk
    (board, meter), clock, rest = at, time.monotonic, iter(items)
    each: Callable[..., Any] = itertools.starmap if is_star else map
    results: list[Any] = []
    size, before = 1, clock()
    board.at_item(0)
    while True:
        done = len(results)
        try:
            results.extend(each(function, itertools.islice(rest, size)))
        except BaseException:
            failed = len(items) - rest.__length_hint__() - 1
            board.at_item(failed)
            if meter is not None and failed > done:
                meter.items(failed - done, before)
            raise
        count = len(results) - done
        if not count:
            return results
        now = clock()
        is_slow = now - before >= SLOW_ITEM_S * count
        if meter is not None:
            if count == 1:
                meter.item(now, _args_of(items[done], is_star), {})
            else:
                meter.items(count, now)
        before = now
        if is_slow:
            break
        board.at_item(-1)
        size = min(2 * size, BLOCK)
    for number, item in enumerate(rest, len(results)):
        board.at_item(number)
        if meter is not None and meter.took > WORTH_WRITING_S:
            meter.show(_args_of(item, is_star), {})
        results.append(function(*item) if is_star else function(item))
        if meter is not None:
            meter.item(clock(), _args_of(item, is_star), {})
    return results


def _args_of(item: Any, is_star: bool) -> Any:
    return item if is_star else (item,)
