"""
``Condition.wait_for`` of a proxy: the waiting process evaluates the predicate.

A copy of the predicate in the kernel would not see changes in its own process. The
proxies of a Manager work in the same way.
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
    Return whether `wait_for` must answer a call of a method with this name.

    Args:
        specials: The special methods and traits of the object's type, as its reference
            has them.
        args: The arguments of the call. If the predicate is a method of a proxy, the
            kernel evaluates it.
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

    link: The link to the server.
        link: The way to the server.
        idx: The number of the condition.
        predicate: Called at once and after each notification, while the lock is held.
        timeout: Seconds to wait at most, or None.

    Returns:
        The last result of the predicate.

    Raises:
        ProxyError: The request failed.
        BaseException: Raised by the predicate or the condition.
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
