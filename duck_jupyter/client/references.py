"""
ref(proxy): attributes and results as live proxies instead of copies.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import AccessDenied
from ..protocol.granting_methods import GRANTING
from ..protocol.live_tokens import live_token
from ..protocol.references import ObjectRef
from .validation import require_proxy

if TYPE_CHECKING:
    from .link import Link
    from .proxy import Proxy

__all__ = ["Reference", "ReferenceMethod", "ref"]

#: The type names of methods.
METHOD_TYPES = frozenset({"builtin_function_or_method", "method"})


def ref(proxy: Any) -> Reference:
    """
    Return a view of a proxy whose attributes, items and results are live proxies.

    A proxy returns a list as a copy, so the change of ``shared.cfg.paths.append(x)``
    would be lost and is refused with a `LostChange`;
    ``ref(shared.cfg).paths.append(x)`` changes the list itself. Lists, dicts, sets and
    bytearrays that methods return are live as well, as in
    ``ref(shared.d).setdefault(key, []).append(x)``.

    Args:
        proxy: A proxy.

    Raises:
        NotShareable: It is not a proxy.
    """
    require_proxy(proxy, "ref")
    return Reference(proxy)


class Reference:
    """
    The view that `ref` returns.

    Args:
        proxy: The proxy of the view.
    """

    __slots__ = ("_duck_proxy",)

    def __init__(self, proxy: Proxy) -> None:
        object.__setattr__(self, "_duck_proxy", proxy)

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AccessDenied(
                f"{name!r} cannot be used through a proxy, and no setting allows it."
            )
        proxy = self._duck_proxy
        found = _ask(proxy, "get", name)
        if proxy._duck_link.server is None and _is_method(proxy, name, found):
            return ReferenceMethod(proxy, name)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._duck_proxy, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._duck_proxy, name)

    def __getitem__(self, key: Any) -> Any:
        return _ask(self._duck_proxy, "call", "__getitem__", [key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._duck_proxy[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._duck_proxy[key]

    def __contains__(self, value: Any) -> bool:
        return value in self._duck_proxy

    def __len__(self) -> int:
        return len(self._duck_proxy)

    def __bool__(self) -> bool:
        return bool(self._duck_proxy)

    def __iter__(self) -> Iterator[Any]:
        """
        Iterate as over the proxy; the items of a sequence are live.
        """
        if isinstance(self._duck_proxy, Sequence):
            return self._live_items()
        return iter(self._duck_proxy)

    def _live_items(self) -> Iterator[Any]:
        for index in itertools.count():
            try:
                item = self[index]
            except IndexError:
                return
            yield item

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """
        Call the object and return its result as a live proxy.
        """
        return _ask(self._duck_proxy, "call", "__call__", list(args), kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return ref, (self._duck_proxy,)

    __dask_tokenize__ = live_token

    def __copy__(self) -> Any:
        return copy.copy(self._duck_proxy)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self._duck_proxy, memo)

    def __repr__(self) -> str:
        return f"ref({self._duck_proxy!r})"

    def _duck_token(self, link: Link) -> tuple[str, int] | None:
        """
        Return the token that a frame over `link` holds in place of the view.
        """
        token: tuple[str, int] | None = self._duck_proxy._duck_token(link)
        return token


class ReferenceMethod:
    """
    A method of an object, whose result is live where it would be a copy.

    Args:
        proxy: The proxy of the object.
        name: The method's name.
    """

    __slots__ = ("_duck_name", "_duck_proxy")

    def __init__(self, proxy: Proxy, name: str) -> None:
        self._duck_proxy = proxy
        self._duck_name = name

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """
        Call the method in the kernel; a list, dict, set or bytearray becomes a proxy.
        """
        name = self._duck_name
        return _ask(self._duck_proxy, "method", name, list(args), kwargs)

    __dask_tokenize__ = live_token

    def __repr__(self) -> str:
        return f"ref({self._duck_proxy!r}).{self._duck_name}"


def _is_method(proxy: Proxy, name: str, found: Proxy) -> bool:
    """
    Return whether an attribute is called by its name.

    A queue's ``get`` is not: what it grants is taken back if the answer does not
    arrive, so it is called like any other method.
    """
    if found._duck_ref.type_name not in METHOD_TYPES:
        return False
    return name not in GRANTING or hasattr(type(proxy), "__contains__")


def _ask(
    proxy: Proxy,
    how: str,
    name: str,
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
) -> Proxy:
    link = proxy._duck_link
    found = link.reference(proxy._duck_idx, how, name, args or [], kwargs or {})
    made: Proxy = link.proxy_of(found) if isinstance(found, ObjectRef) else found
    return made
