"""
Methods of proxies, as callables.
"""

from __future__ import annotations

import copy
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..protocol.granting_methods import GRANTING
from ..protocol.live_tokens import live_token
from ..protocol.values import MUTABLE_TYPES, PLAIN_TYPES
from .caller_code import CALL
from .conditions import is_asked_here, wait_for
from .default_arguments import execute
from .lost_changes import refuse_lost, refuse_lost_default
from .reprs import CALLABLE_PREFIX, name_of
from .requests import EXECUTE, NOTHING
from .unadopted import settled

if TYPE_CHECKING:
    from .link import Link

__all__ = ["ProxyMethod"]

NOT_LIKE_OTHERS = GRANTING | {"setdefault"}

_own = object.__getattribute__


class ProxyMethod:
    """
    A method of a proxy's object: a callable that pickles with its proxy.

    Args:
        proxy: The proxy.
        name: The method's name.
    """

    __slots__ = ("__name__", "__self__", "__weakref__")

    def __init__(self, proxy: object, name: str) -> None:
        self.__self__: object = proxy
        self.__name__: str = name

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """
        Call the method in the kernel and return its result.
        """
        began = monotonic()
        proxy = self.__self__
        link = _own(proxy, "_duck_link")
        idx = _own(proxy, "_duck_idx")
        name = self.__name__
        if link.server is not None:
            return link.server.local_call(idx, name, args, kwargs)
        if name in NOT_LIKE_OTHERS:
            if name == "setdefault":
                refuse_lost_default(sys._getframe(1), link, idx, args)
            elif name == "wait_for" and is_asked_here(
                _own(proxy, "_duck_ref").specials, args
            ):
                return wait_for(link, idx, *args, **kwargs)
            elif name != "get" or not hasattr(type(proxy), "__contains__"):
                # A mapping has a `get` as well.
                # No step follows: what the answer grants has arrived when it returns.
                return link.execute(idx, name, args, kwargs)
        if not kwargs:
            # Inlines `Link.execute` for the common case, which saves one Python call.
            for value in args:
                if type(value) not in PLAIN_TYPES:
                    break
            else:
                value = link.request(
                    EXECUTE, (idx, name, args, NOTHING), None, 0, began
                )
                if type(value) in MUTABLE_TYPES:
                    refuse_lost(sys._getframe(1), CALL, name, value)
                return value
        value = execute(link, idx, name, args, kwargs)
        if type(value) in MUTABLE_TYPES:
            refuse_lost(sys._getframe(1), CALL, name, value)
        return value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProxyMethod):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, int, int]:
        proxy = self.__self__
        link = settled(_own(proxy, "_duck_link"))
        return self.__name__, id(link), _own(proxy, "_duck_idx")

    __dask_tokenize__ = live_token

    def __reduce__(self) -> tuple[Any, ...]:
        return ProxyMethod, (self.__self__, self.__name__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        # As for any method: the method of a copy of its object.
        return getattr(copy.deepcopy(self.__self__, memo), self.__name__)

    def __repr__(self) -> str:
        ref = _own(self.__self__, "_duck_ref")
        return f"{CALLABLE_PREFIX}{self.__name__} of {name_of(ref)}"

    def _duck_token(self, link: Link) -> tuple[str, int, str] | None:
        token = _own(self.__self__, "_duck_token")(link)
        return None if token is None else ("method", token[1], self.__name__)
