"""
The array and table protocols of proxies.

numpy calls ``__array__``, and libraries that use Arrow call ``__arrow_c_stream__``. In
a worker, a proxy fetches its object, and the object answers both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AccessDenied
from .fetching import fetched

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[..., Any]
    Method = Callable[..., Any]

__all__ = ["NUMBERS", "array_method", "array_of_number", "arrow_method"]

#: For each type of numbers, the special method that returns the number itself.
NUMBERS = {"bool": "__bool__", "int": "__pos__", "float": "__pos__"}


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
        # In the kernel this is the object's own array; shared in place, it is shared
        # memory.
        return array.copy() if copy else array

    return __array__


def array_of_number(call: Call, value: str) -> Method:
    """
    Make ``__array__`` for a number, which has no such method.

    Without it numpy would make arrays of the proxy, which change with the number.

    Args:
        call: As for `special_methods`.
        value: One of `NUMBERS`.
    """

    def __array__(self: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np  # numpy is the caller

        return np.array(call(self, value), dtype)

    return __array__


def _fetched_array(proxy: Any, call: Call) -> Any:
    import numpy as np  # numpy is the caller

    try:
        return np.asarray(fetched(proxy))
    except AccessDenied:
        # If only some names are allowed, this may be one of them.
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
