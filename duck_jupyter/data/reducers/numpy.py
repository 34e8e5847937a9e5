"""
NumPy arrays: all their memory out of band, and writable in the worker.

NumPy's own pickling copies an array with gaps, dates, and records with dates. A
read-only array also stays read-only in the worker, although its memory is private
there.
"""

from __future__ import annotations

import ctypes
import pickle
from typing import Any

__all__ = ["reduce_array", "reduce_derived_array", "reduce_masked_array"]


def reduce_array(array: Any) -> Any:
    """
    Return the reduced form of an array of exactly the class `numpy.ndarray`.
    """
    if array.dtype.hasobject or not array.itemsize:
        return NotImplemented
    axes = None
    piece = array
    if not array.flags.c_contiguous:
        axes = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
        piece = array.transpose(axes)
        if not piece.flags.c_contiguous:  # it has gaps
            axes, piece = None, array.copy()
    memory = pickle.PickleBuffer(_view_memory(piece))
    return _rebuild_array, (memory, array.dtype, piece.shape, axes)


def reduce_derived_array(array: Any) -> tuple[Any, ...]:
    """
    Return the reduced form of an array of a derived class that is only a view.
    """
    import numpy as np

    return _rebuild_derived_array, (array.view(np.ndarray), type(array))


def reduce_masked_array(array: Any) -> Any:
    """
    Return the reduced form of an array of exactly the class `numpy.ma.MaskedArray`.
    """
    import numpy as np

    data, mask = array.data, np.ma.getmask(array)
    if type(data) is not np.ndarray or data.dtype.hasobject or data.dtype.names:
        return NotImplemented
    # From a view: reading it changes the array, which would then pickle differently.
    fill_value = array.view().fill_value
    if fill_value == np.ma.default_fill_value(array):
        fill_value = None
    masked = mask is not np.ma.nomask
    arguments = (data, mask if masked else None, fill_value, array.hardmask)
    return _rebuild_masked_array, arguments


def _view_memory(piece: Any) -> Any:
    """
    Return the bytes of a contiguous array as a writable object.

    The writable flag is only for the pickle; the bytes are only read.
    """
    flat = piece.reshape(-1).view("u1")
    if flat.flags.writeable:
        return flat
    window: Any = (ctypes.c_char * flat.nbytes).from_address(flat.ctypes.data)
    window.owner = flat  # or the memory would be freed before the window
    return window


def _rebuild_array(
    memory: Any, dtype: Any, shape: tuple[int, ...], axes: list[int] | None
) -> Any:
    import numpy as np

    piece: Any = np.ndarray(shape, dtype, memory)
    if axes is None:
        return piece
    return piece.transpose(sorted(range(len(axes)), key=axes.__getitem__))


def _rebuild_derived_array(array: Any, kind: type) -> Any:
    return array.view(kind)


def _rebuild_masked_array(data: Any, mask: Any, fill_value: Any, hard: bool) -> Any:
    import numpy as np

    mask = np.ma.nomask if mask is None else mask
    array: Any = np.ma.MaskedArray(data, mask, fill_value=fill_value, hard_mask=hard)
    return array
