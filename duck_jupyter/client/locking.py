"""
locked(proxy): an object's lock, to read, change and write it in one step.
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
    Hold an object's lock, among all threads that use `locked` with a proxy of it.

    ::

        with locked(shared.n) as number:
            number.value += 1

    The lock belongs to this thread, which may take it again inside the block. Waiting
    threads get it in the order of their requests. It is released when the block is
    left, when an exception interrupts the entry or the exit, and when this process
    ends, however it ends. Calls outside of `locked` do not wait for it.

    Args:
        proxy: A proxy of the object.
        timeout: Seconds to wait for the lock, or None to wait for ever.

    Returns:
        A context manager whose block gets the proxy. Entering raises

        * ProxyTimeout: The lock did not become free in time.
        * DeadlockError: Waiting would never end: the holder waits, directly or through
          others, for a lock that this thread took with `locked`. Other locks, such as
          shared ``Lock`` objects, are not checked.
        * KernelGone: The server ended.

    Raises:
        NotShareable: It is not a proxy.
        ValueError: The timeout is neither None nor a number of seconds, 0 or more.
    """
    require_proxy(proxy, "locked")
    if timeout is not None and not (isinstance(timeout, Real) and timeout >= 0):
        raise ValueError(
            f"timeout must be None or a number of seconds, 0 or more, not {timeout!r}."
        )
    return _Locked(proxy, timeout)


class _Locked(Generic[P]):
    """
    The context manager that `locked` returns.
    """

    __slots__ = ("_block",)

    def __init__(self, proxy: P, timeout: float | None) -> None:
        self._block = LockBlock(proxy._duck_link, proxy._duck_idx, proxy, timeout)

    # `with` looks up both before it calls either; the interpreter itself holds
    # `__exit__`.
    @property
    def __enter__(self) -> Any:
        return self._block.enter

    @property
    def __exit__(self) -> Any:
        return self._block.leaving()
