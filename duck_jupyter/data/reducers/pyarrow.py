"""
Arrow arrays, alone and inside pandas: only the needed buffers, without a copy.

A part of an array refers to the buffers of the whole, and would be pickled with all of
them. pandas joins the chunks of an array before it pickles them, which copies even a
single chunk.
"""

from __future__ import annotations

from typing import Any

from .pandas import reduce_without_cache

__all__ = ["reduce_arrow_array", "reduce_arrow_backed"]

#: A smaller saving is not worth a copy.
LEAST_SAVING_BYTES = 4096


def reduce_arrow_array(array: Any) -> Any:
    """
    Return the reduced form of a `pyarrow.Array`.
    """
    import pyarrow as pa

    # It is computed on first use and then pickled, so reading it would seem to be a
    # change.
    _ = array.null_count
    try:
        needed, whole = array.nbytes, array.get_total_buffer_size()
        if whole < 2 * needed + LEAST_SAVING_BYTES:
            return NotImplemented
        copy = pa.concat_arrays([array])
        if copy.get_total_buffer_size() >= whole:
            return NotImplemented
    except (pa.ArrowException, TypeError):  # not for arrays of this type
        return NotImplemented
    return copy.__reduce__()


def reduce_arrow_backed(array: Any) -> Any:
    """
    Return the reduced form of a pandas array that stores an Arrow array.
    """
    import pyarrow as pa

    kind, dtype = type(array), array.dtype
    inside = array.__arrow_array__()
    if isinstance(inside, pa.ChunkedArray):
        empty = _rebuild_arrow_backed(kind, inside.slice(0, 0), dtype)
        if type(empty) is kind and empty.dtype == dtype:
            return _rebuild_arrow_backed, (kind, inside, dtype)
    return reduce_without_cache(array)


def _rebuild_arrow_backed(kind: Any, inside: Any, dtype: Any) -> Any:
    import pandas as pd

    array = kind(inside)
    # Text has several types over the same array; pandas 2 copies for all types but this
    # one.
    return array if array.dtype == dtype else pd.array(inside, dtype, copy=False)
