"""
``Condition.wait_for`` of a proxy: the predicate is asked in the process that waits.

A copy of it in the kernel would not see what its own process changes. The proxies of a
Manager do the same.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..protocol.special_methods import names_in
from ..protocol.traits import CONDITION

if TYPE_CHECKING:
    from collections.abc import Callable

    from .link import Link

__all__ = ["is_asked_here", "wait_for"]


def is_asked_here(specials: bytes, args: tuple[Any, ...]) -> bool:
    """
    Tell whether `wait_for` is to answer a call of a method of this name.

    Args:
        specials: The special methods and traits of the object's type, as its reference
            has them.
        args: The arguments of the call. The methods of proxies are asked in the kernel.
    """
    return (
        CONDITION in names_in(specials)
        and bool(args)
        and not hasattr(type(args[0]), "_duck_token")
    )


def wait_for(
    link: Link, idx: int, predicate: Callable[[], Any], timeout: float | None = None
) -> Any:
    """
    Wait for notifications of a condition until a predicate holds.

    Args:
        link: The way to the server.
        idx: The number of the condition.
        predicate: Asked at once and after each notification, while the lock is held.
        timeout: Seconds to wait at most, or None.

    Returns:
        What the predicate returned last.

    Raises:
        ProxyError: Something went wrong on the way.
        BaseException: Whatever the predicate or the condition raises.
    """
    end = None if timeout is None else time.monotonic() + timeout
    left = timeout
    result = predicate()
    while not result and (left is None or left >= 0):
        link.execute(idx, "wait", (left,))
        result = predicate()
        if end is not None:
            left = end - time.monotonic()
    return result
