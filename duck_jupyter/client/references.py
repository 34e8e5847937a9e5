"""
ref(proxy): what an object holds or returns, as live proxies and not as copies.
"""

from __future__ import annotations

import copy
from typing import Any

from ..errors import AccessDenied, NotShareable
from ..protocol.refs import ObjectRef
from .proxy import Proxy, make_proxy

__all__ = ["Reference", "ref"]


def ref(proxy: Any) -> Reference:
    """
    Give a view of a proxy whose attributes, items and results are live proxies.

    A list that a proxy gives is a copy, so ``shared.cfg.paths.append(x)`` is lost;
    ``ref(shared.cfg).paths.append(x)`` is not.

    Args:
        proxy: A proxy.

    Raises:
        NotShareable: It is no proxy.
    """
    if not isinstance(proxy, Proxy):
        raise NotShareable(
            "ref() takes a proxy, such as shared.NAME, and not a "
            f"{type(proxy).__name__}."
        )
    return Reference(proxy)


class Reference:
    """
    The view that `ref` gives.

    Args:
        proxy: The proxy it is a view of.
    """

    __slots__ = ("_duck_proxy",)

    def __init__(self, proxy: Proxy) -> None:
        object.__setattr__(self, "_duck_proxy", proxy)

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AccessDenied(
                f"{name!r} does not pass through a proxy; no setting opens it."
            )
        return _ask(self._duck_proxy, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._duck_proxy, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._duck_proxy, name)

    def __getitem__(self, key: Any) -> Any:
        return _ask(self._duck_proxy, "call", "__getitem__", [key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._duck_proxy[key] = value

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """
        Call the object, and give what it returns as a live proxy.
        """
        return _ask(self._duck_proxy, "call", "__call__", list(args), kwargs)

    def __copy__(self) -> Any:
        return copy.copy(self._duck_proxy)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self._duck_proxy, memo)

    def __repr__(self) -> str:
        return f"ref({self._duck_proxy!r})"


def _ask(
    proxy: Proxy,
    how: str,
    name: str,
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
) -> Proxy:
    link = proxy._duck_link
    found = link.reference(proxy._duck_idx, how, name, args or [], kwargs or {})
    return make_proxy(link, found) if isinstance(found, ObjectRef) else found
