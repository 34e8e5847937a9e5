"""
What pandas is told of proxies.

pandas asks an object for no protocol by which it could say that it is a table or a
mapping: it asks ``isinstance``, and takes what is not its own class for an array or a
list. So the names of columns, the labels of rows and the values of dicts would be lost
without a word. What is answered depends on who asks, and only pandas is told this:

- The proxy of a dict, list or tuple is one.
- The proxy of a Series or DataFrame is one. In the kernel its attributes are those of
  the object. In a worker ``pandas.DataFrame(p)`` and ``pandas.Series(p)`` get the
  contents of the fetched object, and a DataFrame takes a Series as a column; other code
  of pandas gets an error that says to fetch the object.
- A local Series or DataFrame on the left of an operator gives way to the proxy, so that
  the kernel does the work.
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

#: ``__pandas_priority__`` of proxies; that of a DataFrame is 4000.
PRIORITY = 10_000
#: Functions of pandas that take no other answer than that of their own operator: those
#: for operators that change a local object in place, and for functions of numpy.
NOT_GIVING_WAY = frozenset({"_inplace_method", "array_ufunc"})
#: With these, a constructor has all that it asks a Series or DataFrame for.
LAST_ASKED = frozenset({"_mgr", "reindex"})

_asked = threading.local()


def class_for_pandas(plain: type) -> property:
    """
    Make the ``__class__`` of proxies of dicts, lists or tuples.

    Args:
        plain: What pandas takes them for.
    """

    def __class__(self: Any) -> type:
        # Asked by `_own_or_denied`, for `Proxy.__getattribute__`.
        return plain if _is_of_pandas(sys._getframe(3)) else type(self)

    return property(__class__)


def getattribute_for_pandas(usual: Method, kind: str) -> Method:
    """
    Make a ``__getattribute__`` for proxies of Series or DataFrames.

    Args:
        usual: The one of all proxies.
        kind: ``"Series"`` or ``"DataFrame"``.
    """

    def __getattribute__(self: Any, name: str) -> Any:
        # A look without a call: every read of an attribute comes here.
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
    Give what pandas is told, or None for what everybody is told.
    """
    if name == "__pandas_priority__":
        above = frame.f_back
        cannot = above is not None and above.f_code.co_name in NOT_GIVING_WAY
        return 0 if cannot else PRIORITY
    constructor, made = _constructor_in(frame)
    if made == "DataFrame" and constructor is not frame:
        return None  # it asks a Series among the columns for what it needs
    if name == "__class__":
        return getattr(sys.modules["pandas"], kind)
    if name == "_typ":
        return kind.lower()
    if name[:2] == "__" or proxy._duck_link.server is not None:
        return None
    if made == kind:
        return _told_to_constructor(proxy, name, constructor)
    raise ObjectNeeded(
        f"pandas needs the {kind} itself here, and not its proxy. Give it fetch(p), or "
        "call a method of the proxy, which does the work in the kernel."
    )


def _told_to_constructor(proxy: Any, name: str, constructor: FrameType | None) -> Any:
    """
    Give an attribute of the object, which is fetched once for each constructor's run.
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
        Its frame, and the name of the class that it makes; None and "" without one.
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
