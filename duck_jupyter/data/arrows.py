"""
Arrow arrays that are a part of a larger one: only the part travels.

A slice refers to the buffers of the whole, and would be pickled with all of them.
"""

from __future__ import annotations

from typing import Any

__all__ = ["reduce_arrow_array"]

#: A copy is not worth it for less.
LEAST_SAVING_BYTES = 4096


def reduce_arrow_array(array: Any) -> Any:
    """
    Give the reduced form of a `pyarrow.Array`.
    """
    import pyarrow as pa

    # Counted on first use, and then pickled along: a look would seem to be a change.
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
