"""
How proxies answer pandas.

pandas has no protocol by which an object could say that it is a table or a mapping: it
uses ``isinstance``, and treats objects of other classes as arrays or lists. So the
names of columns, the labels of rows and the values of dicts would be lost without a
warning. The answer depends on the caller, and only pandas gets these answers:

- The proxy of a dict, list or tuple is one.
- The proxy of a Series or DataFrame is one. In the kernel its attributes are those of
  the object. In a worker ``pandas.DataFrame(p)`` and ``pandas.Series(p)`` get the
  contents of the fetched object, and a DataFrame takes a Series as a column; other code
  of pandas gets an error that says to fetch the object.
- A local Series or DataFrame on the left of an operator defers to the proxy, so that
  the kernel computes the result.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from ..errors import ObjectNeeded
from .fetching import fetched
from .pandas_queries import SCOPED, ScopedMethod
from .proxy_method import ProxyMethod

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    Method = Callable[..., Any]

__all__ = ["class_for_pandas", "getattribute_for_pandas"]

#: ``__pandas_priority__`` of proxies; a DataFrame has 4000.
PRIORITY = 10_000
#: Functions of pandas that accept only the result of their own operator: those for
#: operators that change a local object in place, and for functions of numpy.
NOT_GIVING_WAY = frozenset({"_inplace_method", "array_ufunc"})
#: After one of these, a constructor reads no more attributes of a Series or DataFrame.
LAST_ASKED = frozenset({"_mgr", "reindex"})

_asked = threading.local()


def class_for_pandas(plain: type) -> property:
    """
    Make the ``__class__`` of proxies of dicts, lists or tuples.

    Args:
        plain: The class that pandas sees.
    """

    def __class__(self: Any) -> type:
        # Called through `_own_or_denied`, for `Proxy.__getattribute__`.
        return plain if _is_of_pandas(sys._getframe(3)) else type(self)

    return property(__class__)


def getattribute_for_pandas(usual: Method, kind: str) -> Method:
    """
    Make a ``__getattribute__`` for proxies of Series or DataFrames.

    usual: The method that all proxies have.
        usual: The one of all proxies.
        kind: ``"Series"`` or ``"DataFrame"``.
    """

    def __getattribute__(self: Any, name: str) -> Any:
        # Inlined, because every read of an attribute comes here.
        frame = sys._getframe(1)
        if "/pandas/" in frame.f_code.co_filename and _is_of_pandas(frame):
            value = _told(self, name, kind, frame)
            if value is not None:
                return value
        found = usual(self, name)
        if name in SCOPED and type(found) is ProxyMethod:
            return ScopedMethod(self, name)
        return found

    return __getattribute__


def _told(proxy: Any, name: str, kind: str, frame: FrameType) -> Any:
    """
    Return the answer for pandas, or None for the usual answer.
    """
    if name == "__pandas_priority__":
        above = frame.f_back
        cannot = above is not None and above.f_code.co_name in NOT_GIVING_WAY
        return 0 if cannot else PRIORITY
    constructor, made = _constructor_in(frame)
    if made == "DataFrame" and constructor is not frame:
        # it reads the attributes that it needs of a Series among the columns
        return None
    if name == "__class__":
        return getattr(sys.modules["pandas"], kind)
    if name == "_typ":
        return kind.lower()
    if name[:2] == "__" or proxy._duck_link.server is not None:
        return None
    if made == kind:
        return _told_to_constructor(proxy, name, constructor)
    raise ObjectNeeded(
        f"pandas needs the {kind} itself here, not its proxy. Pass fetch(p), or call a "
        "method of the proxy, which runs in the kernel."
    )


def _told_to_constructor(proxy: Any, name: str, constructor: FrameType | None) -> Any:
    """
    Return an attribute of the object, which is fetched once per constructor call.
    """
    asked = getattr(_asked, "value", None)
    if asked is None or asked[0] is not constructor:
        asked = _asked.value = constructor, fetched(proxy)
    if name in LAST_ASKED:
        _asked.value = None
    return getattr(asked[1], name)


def _is_of_pandas(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    return type(name) is str and (name == "pandas" or name[:7] == "pandas.")


def _constructor_in(frame: FrameType) -> tuple[FrameType | None, str]:
    """
    Find the constructor that asks, itself or in a function that it calls.

    Returns:
        Its frame, and the name of the class that it makes; None and "" if there is
        none.
    """
    pandas: Any = sys.modules["pandas"]
    codes = {
        pandas.DataFrame.__init__.__code__: "DataFrame",
        pandas.Series.__init__.__code__: "Series",
    }
    above: FrameType | None = frame
    while above is not None and _is_of_pandas(above):
        if above.f_code in codes:
            return above, codes[above.f_code]
        above = above.f_back
    return None, ""
