"""
What array and table libraries ask an object that is given to them.

numpy asks for ``__array__``, and whoever speaks Arrow for ``__arrow_c_stream__``. In
a worker both are answered by the object itself, once it has been fetched.

``pandas.DataFrame(x)`` asks no protocol by which a table could say that it is one: of
what is not its own class it takes an array, and the names of the columns are lost
without a word. So its constructor, and nobody else, is told that the proxy of a
DataFrame is one, and gets the contents of the fetched one when it asks for them. All of
pandas is told that the proxy of a dict is one, which it would take for a list of keys.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from ..errors import AccessDenied
from .fetching import fetched

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    Call = Callable[..., Any]
    Method = Callable[..., Any]

__all__ = [
    "array_method",
    "arrow_method",
    "dict_for_pandas",
    "getattribute_for_pandas",
]

#: What pandas' constructor asks a DataFrame for.
ASKED_BY_PANDAS = frozenset({"__class__", "_mgr"})

_asked = threading.local()


def array_method(call: Call) -> Method:
    """
    Make ``__array__``.

    Args:
        call: As for `special_methods`.
    """

    def __array__(self: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        here = self._duck_link.server is not None
        array = call(self, "__array__") if here else _fetched_array(self, call)
        if dtype is not None:
            array = array.astype(dtype, copy=False)
        # In the kernel it is the object's own; shared in place, it is everyone's.
        return array.copy() if copy else array

    return __array__


def _fetched_array(proxy: Any, call: Call) -> Any:
    import numpy as np  # which asks

    try:
        return np.asarray(fetched(proxy))
    except AccessDenied:
        # Where only some names are open, this may be one of them.
        return call(proxy, "__array__")


def arrow_method(call: Call) -> Method:
    """
    Make ``__arrow_c_stream__``.

    Args:
        call: As for `special_methods`.
    """

    def __arrow_c_stream__(self: Any, requested_schema: Any = None) -> Any:
        if self._duck_link.server is not None:
            return call(self, "__arrow_c_stream__", requested_schema)
        return fetched(self).__arrow_c_stream__(requested_schema)

    return __arrow_c_stream__


def getattribute_for_pandas(usual: Method) -> Method:
    """
    Make a ``__getattribute__`` for proxies of what can be an array.

    Args:
        usual: The one of all proxies.
    """

    def __getattribute__(self: Any, name: str) -> Any:
        if name in ASKED_BY_PANDAS and _is_constructor(sys._getframe(1)):
            value = _told_to_pandas(self, name)
            if value is not None:
                return value
        return usual(self, name)

    return __getattribute__


@property  # type: ignore[misc]
def dict_for_pandas(self: Any) -> type:
    """
    The ``__class__`` of proxies of dicts.
    """
    # Asked by `_own_or_denied`, for `Proxy.__getattribute__`.
    return dict if _is_of_pandas(sys._getframe(3)) else type(self)


def _is_of_pandas(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == "pandas"


def _is_constructor(frame: FrameType) -> bool:
    pandas: Any = sys.modules.get("pandas")
    kind = getattr(pandas, "DataFrame", None)
    return kind is not None and frame.f_code is kind.__init__.__code__


def _told_to_pandas(proxy: Any, name: str) -> Any:
    frame: Any = sys.modules["pandas"].DataFrame
    if name == "__class__":
        value = fetched(proxy)
        _asked.value = value if isinstance(value, frame) else None
        return None if _asked.value is None else frame
    value, _asked.value = getattr(_asked, "value", None), None
    return None if value is None else value._mgr
