"""
What pandas is told of proxies.

pandas asks an object for no protocol by which it could say that it is a table or a
mapping: it asks ``isinstance``, and takes what is not its own class for an array or a
list. So the names of columns, the labels of rows and the values of dicts would be lost
without a word. What is answered depends on who asks, and only pandas is told this:

- The proxy of a dict is a dict.
- The proxy of a Series or DataFrame is one. In the kernel its attributes are those of
  the object. In a worker ``pandas.DataFrame(p)`` gets the contents of the fetched
  frame and takes a Series as a column; other code of pandas gets an error that says to
  fetch the object.
- A local Series or DataFrame on the left of an operator gives way to the proxy, so that
  the kernel does the work.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Any

from ..errors import AccessDenied, ObjectNeeded
from .fetching import fetched

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    Method = Callable[..., Any]

__all__ = ["dict_for_pandas", "getattribute_for_pandas"]

#: ``__pandas_priority__`` of proxies; that of a DataFrame is 4000.
PRIORITY = 10_000
#: Functions of pandas that take no other answer than that of their own operator: those
#: for operators that change a local object in place, and for functions of numpy.
NOT_GIVING_WAY = frozenset({"_inplace_method", "array_ufunc"})

_asked = threading.local()


@property  # type: ignore[misc]
def dict_for_pandas(self: Any) -> type:
    """
    The ``__class__`` of proxies of dicts.
    """
    # Asked by `_own_or_denied`, for `Proxy.__getattribute__`.
    return dict if _is_of_pandas(sys._getframe(3)) else type(self)


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
        return usual(self, name)

    return __getattribute__


def _told(proxy: Any, name: str, kind: str, frame: FrameType) -> Any:
    """
    Give what pandas is told, or None for what everybody is told.
    """
    if name == "__pandas_priority__":
        above = frame.f_back
        cannot = above is not None and above.f_code.co_name in NOT_GIVING_WAY
        return 0 if cannot else PRIORITY
    constructor = _constructor_in(frame)
    if constructor is frame and kind == "DataFrame" and name in ("__class__", "_mgr"):
        return _told_to_constructor(proxy, name)
    if constructor not in (None, frame):
        return None  # it asks a Series among the columns for what it needs
    if name == "__class__":
        return getattr(sys.modules["pandas"], kind)
    if name == "_typ":
        return kind.lower()
    if name[:2] == "__" or proxy._duck_link.server is not None:
        return None
    raise ObjectNeeded(
        f"pandas needs the {kind} itself here, and not its proxy. Give it fetch(p), or "
        "call a method of the proxy, which does the work in the kernel."
    )


def _told_to_constructor(proxy: Any, name: str) -> Any:
    if name == "__class__":
        # ``isinstance`` would take the error for a no; the next question raises it.
        with contextlib.suppress(AccessDenied):
            _asked.value = fetched(proxy)
        return sys.modules["pandas"].DataFrame
    value, _asked.value = getattr(_asked, "value", None), None
    return (fetched(proxy) if value is None else value)._mgr


def _is_of_pandas(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    return type(name) is str and (name == "pandas" or name[:7] == "pandas.")


def _constructor_in(frame: FrameType) -> FrameType | None:
    """
    Find the constructor of a DataFrame that asks, itself or in a function it calls.
    """
    code = sys.modules["pandas"].DataFrame.__init__.__code__
    above: FrameType | None = frame
    while above is not None and _is_of_pandas(above):
        if above.f_code is code:
            return above
        above = above.f_back
    return None
