"""
locked(proxy): an object's lock, for reading, changing and writing in one piece.
"""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .proxy import Proxy
from .validation import require_proxy
from .with_blocks import LockBlock

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["locked"]

P = TypeVar("P", bound=Proxy)


def locked(proxy: P, timeout: float | None = None) -> AbstractContextManager[P]:
    """
    Hold an object's lock, among all who use `locked` with a proxy of it.

    ::

        with locked(shared.n) as number:
            number.value += 1

    The lock belongs to this thread and may be taken again inside. Those who wait get
    it in the order in which they came. It is released when the block is left, when
    an exception cuts entering or leaving short, and when this process ends, however it
    does. Calls outside of `locked` do not wait for it.

    Args:
        proxy: A proxy of the object.
        timeout: Seconds to wait for it, or None to wait for ever.

    Returns:
        A context manager whose block gets the proxy. Entering raises

        * ProxyTimeout: The lock did not become free in time.
        * DeadlockError: It never would: its holder waits, itself or through others, for
          a lock that this thread took with `locked`. Other locks, such as shared
          ``Lock`` objects, are not looked at.
        * KernelGone: The server ended.

    Raises:
        NotShareable: It is no proxy.
        ValueError: The timeout is neither None nor a number of seconds from 0.
    """
    require_proxy(proxy, "locked")
    if timeout is not None and not (isinstance(timeout, Real) and timeout >= 0):
        raise ValueError(
            f"timeout must be None or a number of seconds from 0, not {timeout!r}."
        )
    return _Locked(proxy, timeout)


class _Locked(Generic[P]):
    """
    The context manager that `locked` gives.
    """

    __slots__ = ("_block",)

    def __init__(self, proxy: P, timeout: float | None) -> None:
        self._block = LockBlock(proxy._duck_link, proxy._duck_idx, proxy, timeout)

    # Looked up by `with` before it calls any: what ends the block is the interpreter's.
    @property
    def __enter__(self) -> Any:
        return self._block.enter

    @property
    def __exit__(self) -> Any:
        return self._block.leaving()
