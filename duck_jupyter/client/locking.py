"""
locked(proxy): an object's lock, for reading, changing and writing in one piece.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from ..errors import NotShareable
from .contexts import holding
from .proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["locked"]

P = TypeVar("P", bound=Proxy)


@contextmanager
def locked(proxy: P, timeout: float | None = None) -> Iterator[P]:
    """
    Hold an object's lock, among all who use `locked` with a proxy of it.

    ::

        with locked(shared.n) as n:
            n.value += 1

    The lock belongs to this thread and may be taken again inside. It is released when
    the block is left, and when this process ends, however it does. Calls outside of
    `locked` do not wait for it.

    Args:
        proxy: A proxy of the object.
        timeout: Seconds to wait for it, or None to wait for ever.

    Yields:
        The proxy.

    Raises:
        NotShareable: It is no proxy.
        ProxyTimeout: The lock did not become free in time.
        KernelGone: The server ended.
    """
    if not isinstance(proxy, Proxy):
        raise NotShareable(
            f"locked() takes a proxy, such as shared.NAME, and not a "
            f"{type(proxy).__name__}."
        )
    with holding(proxy._duck_link, proxy._duck_idx, timeout):
        yield proxy
