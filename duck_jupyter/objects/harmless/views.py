"""
Read-only views of arrays and frames; objects reached through a view are read-only.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["is_indexer", "view_maker"]


def view_maker(kind: type) -> Callable[[Any], Any] | None:
    """
    Return the function that makes a read-only view of objects of a type, or None.
    """
    for library, find in _FINDERS.items():
        module = sys.modules.get(library)
        # While a library is being imported, it has no types yet.
        maker = None if module is None else find(kind, module)
        if maker is not None:
            return maker
    return None


def is_indexer(value: Any) -> bool:
    """
    Return whether a value is an indexer such as ``df.loc``, which writes to its frame.
    """
    kind = type(value)
    return kind.__module__.startswith("pandas.") and kind.__name__.endswith("Indexer")


def _numpy_maker(kind: type, numpy: Any) -> Callable[[Any], Any] | None:
    array = getattr(numpy, "ndarray", None)
    return _view_array if array is not None and issubclass(kind, array) else None


def _pandas_maker(kind: type, pandas: Any) -> Callable[[Any], Any] | None:
    frames = getattr(pandas, "DataFrame", None), getattr(pandas, "Series", None)
    # Under copy-on-write, which pandas 3 always uses, a write to one of them does not
    # show in the other.
    for frame in frames:
        if frame is not None and issubclass(kind, frame):
            return lambda target: frame.copy(target, deep=False)
    return None


def _polars_maker(kind: type, polars: Any) -> Callable[[Any], Any] | None:
    frames = getattr(polars, "DataFrame", None), getattr(polars, "Series", None)
    for frame in frames:
        if frame is not None and issubclass(kind, frame):
            return lambda target: frame.clone(target)
    return None


def _view_array(array: Any) -> Any:
    view = array.view()
    view.flags.writeable = False
    return view


_FINDERS: dict[str, Callable[[type, Any], Callable[[Any], Any] | None]] = {
    "numpy": _numpy_maker,
    "pandas": _pandas_maker,
    "polars": _polars_maker,
}
