"""
NumPy arrays: all their memory out of band, and writable on the other side.

Numpy's own pickling copies an array with gaps, dates, and records with dates; and what
it gives away of an array that may not be written to cannot be written to on the other
side either, where it is nobody else's.
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
    Give the reduced form of an array of a class of numpy's that is only a way to look.
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
    # Of a view: an array remembers that it was asked, and would give another pickle.
    fill_value = array.view().fill_value
    if fill_value == np.ma.default_fill_value(array):
        fill_value = None
    masked = mask is not np.ma.nomask
    arguments = (data, mask if masked else None, fill_value, array.hardmask)
    return _rebuild_masked_array, arguments


def _view_memory(piece: Any) -> Any:
    """
    Return the bytes of an array in one piece, as something that may be written to.

    That it may be is only told to the pickle; the bytes are read and no more.
    """
    flat = piece.reshape(-1).view("u1")
    if flat.flags.writeable:
        return flat
    window: Any = (ctypes.c_char * flat.nbytes).from_address(flat.ctypes.data)
    window.owner = flat  # or the memory would go before the window does
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
