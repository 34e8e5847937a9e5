"""
A worker that uses what a kernel shares in every way that is counted.
"""

from __future__ import annotations

import pickle
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from duck_jupyter import LimitedProxyChaining, fetch, locked

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["begin", "go_on", "let_go"]

#: What the worker holds from one job to the next.
HELD: dict[str, Any] = {}


def begin(data: Sequence[str]) -> None:
    """
    Use four objects: a dict, a chain, a list and an array. Nothing is given back.

    Args:
        data: Their proxies, pickled, as hexadecimal digits.
    """
    config, model, items, grid = (pickle.loads(bytes.fromhex(one)) for one in data)
    for _ in range(11):
        with locked(config):
            config["depth"] += 1
    config["long"] = "z" * 100_000
    for key in ("a", "a", "b"):
        with suppress(KeyError):
            config[key]
    first, second = model.deeper, model.deeper
    third = second.deeper
    with suppress(LimitedProxyChaining):
        _ = third.deeper
    items.append(1)
    # One that has more to come.
    iterator = iter(items)
    next(iterator)
    repr(config)
    HELD.update(config=config, model=model, items=items, grid=grid)
    HELD.update(chain=(first, second, third), iterator=iterator, own=fetch(grid))


def go_on() -> None:
    """
    Call the objects until the dict says that it is enough.
    """
    config, model, items = HELD["config"], HELD["model"], HELD["items"]
    while not config.get("stop"):
        with locked(config):
            config["depth"] += 1
        _ = model.deeper.deeper.depth
        items.append(1)
        next(HELD["iterator"], None)


def let_go() -> None:
    """
    Give back all that is held.
    """
    HELD.clear()
