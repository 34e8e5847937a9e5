"""
Reducers for objects whose own pickling makes needless copies.

Each reducer is for one type: it returns the reduced form for `pickle`, or
NotImplemented if the object's own pickling is as good. It uses only the public
interface of its library.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from .numpy import reduce_array, reduce_derived_array, reduce_masked_array
from .pandas import reduce_without_cache
from .polars import reduce_polars_frame, reduce_polars_series
from .pyarrow import reduce_arrow_array, reduce_arrow_backed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["find_help"]


def find_help(kind: type) -> Callable[[Any], Any] | None:
    """
    Return the reducer for a type, or None if none is needed.
    """
    library = str(kind.__module__).partition(".")[0]
    if library == "multiprocessing":
        return _find_reducer_for_workers(kind)
    if library == "pyarrow":
        arrow: Any = sys.modules.get("pyarrow")
        return reduce_arrow_array if issubclass(kind, arrow.Array) else None
    if library == "numpy":
        numpy: Any = sys.modules["numpy"]
        if kind in (numpy.recarray, numpy.matrix, numpy.memmap):
            return reduce_derived_array
        if kind is numpy.ma.MaskedArray:
            return reduce_masked_array
        return reduce_array if kind is numpy.ndarray else None
    if library == "pandas":
        return _find_help_for_pandas(kind, sys.modules["pandas"])
    if library == "polars":
        polars: Any = sys.modules["polars"]
        if kind is polars.DataFrame:
            return reduce_polars_frame
        if kind is polars.Series:
            return reduce_polars_series
    return None


def _find_help_for_pandas(kind: type, pandas: Any) -> Callable[[Any], Any] | None:
    if kind in (pandas.arrays.ArrowExtensionArray, pandas.arrays.ArrowStringArray):
        return reduce_arrow_backed
    extensions = pandas.api.extensions
    remembering = (extensions.ExtensionArray, extensions.ExtensionDtype)
    return reduce_without_cache if issubclass(kind, remembering) else None


def _find_reducer_for_workers(kind: type) -> Callable[[Any], Any] | None:
    """
    Return multiprocessing's reducer for one of its own types, such as a connection.
    """
    # slow, and not needed without a pool
    from multiprocessing.reduction import ForkingPickler

    reducer: Callable[[Any], Any] | None
    reducer = ForkingPickler(io.BytesIO()).dispatch_table.get(kind)
    return reducer
