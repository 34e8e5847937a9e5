"""
With blocks of objects in the kernel, and where a thread entered them.

The channel through which a block was entered is kept until it is left: the server ties
the block to it, and leaves the block by itself when the channel ends.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..protocol.faults import pack_fault
from ..protocol.refs import DESK, MethodMark
from ..protocol.values import reduce_main_only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .channel import Channel
    from .link import Link

__all__ = ["enter", "holding", "leave"]


def enter(link: Link, proxy: Any, idx: int) -> Any:
    """
    Enter an object's own context manager.

    Returns:
        What the block gets: the proxy where the object gives itself.
    """
    if link.server is not None:
        value = link.server.local_call(idx, "__enter__", (), {})
    else:
        channel = link.channel()
        value = link.call_through(channel, idx, "__enter__")
        channel.contexts += 1
        link.thread.entered.setdefault(idx, []).append(channel)
    return proxy if type(value) is MethodMark else value


def leave(link: Link, idx: int, kind: Any, error: BaseException | None) -> bool:
    """
    Leave an object's own context manager, where it was entered.

    Returns:
        True when the object swallowed the exception.
    """
    if link.server is not None:
        trace = None if error is None else error.__traceback__
        args = (kind, error, trace)
        return bool(link.server.local_call(idx, "__exit__", args, {}))
    entered = link.thread.entered[idx]
    channel = entered.pop()
    if not entered:
        del link.thread.entered[idx]
    raised = None if error is None else pack_fault(error, reduce_main_only, "")
    try:
        return bool(link.call_through(channel, idx, "__exit__", raised))
    finally:
        _done_with(link, channel)


@contextmanager
def holding(link: Link, idx: int, timeout: float | None) -> Iterator[None]:
    """
    Hold an object's lock, as `locked` does.

    Raises:
        ProxyTimeout: It did not become free in time.
    """
    if link.server is not None:
        here = link.server
        here.local_desk("lock", (idx, timeout))
        try:
            yield
        finally:
            here.local_desk("unlock", (idx,))
        return
    channel = link.channel()
    link.call_through(channel, DESK, "lock", idx, timeout)
    channel.contexts += 1
    try:
        yield
    finally:
        try:
            link.call_through(channel, DESK, "unlock", idx)
        finally:
            _done_with(link, channel)


def _done_with(link: Link, channel: Channel) -> None:
    channel.contexts -= 1
    if channel is not link.thread.channel and not channel.contexts:
        channel.close()
