"""
copy.copy(proxy) and copy.deepcopy(proxy): copies of the object.
"""

from __future__ import annotations

from typing import Any

from ..errors import DataEncodeError
from .fetching import fetched

__all__ = ["copied", "copied_deeply"]


def copied(proxy: Any) -> Any:
    """
    Return a copy of the object of a proxy: its ``__copy__``.

    In the kernel it is `copy.copy` of the object. A worker gets the object by value, so
    the objects that it holds are copied as well.

    Raises:
        AccessDenied: Only some names of the object are allowed.
        DataEncodeError: Something in it cannot be pickled.
        ProxyError: As `fetch`.
    """
    return _copied(proxy, "__copy__", ())


def copied_deeply(proxy: Any, memo: dict[int, Any]) -> Any:
    """
    Return a deep copy of a proxy's object: its ``__deepcopy__``; raises like `copied`.
    """
    return _copied(proxy, "__deepcopy__", (memo,))


def _copied(proxy: Any, how: str, args: tuple[Any, ...]) -> Any:
    link = proxy._duck_link
    if link.server is not None:
        return link.server.local_call(proxy._duck_idx, how, args, {})
    try:
        return fetched(proxy, private=True)
    except DataEncodeError as error:
        raise DataEncodeError(
            "A worker copies an object by value, and this object cannot be sent: "
            f"{error} To copy it in the kernel, share a function that makes the copy, "
            "and call its proxy. To use the object itself, pass the proxy."
        ) from error
