"""
Views: arrays and buffers that use the memory of a shared object.

A slice, a column or a transpose of an array is another array, which pickles by value.
If its memory can be mapped by workers, it is pickled as a handle to that memory with
its offset and strides. Frames of pandas and tables of Arrow pickle the arrays and
buffers inside them, so their parts are pickled in the same way.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .parts import rebuild_array, rebuild_buffer
from .reducers.numpy import reduce_masked_array
from .reducers.pyarrow import reduce_arrow_backed
from .regions import Region, region_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .part_lookup import Look, Place

__all__ = ["Views"]

#: The module of pandas with the classes that hold the columns of a frame.
BLOCKS = "pandas.core.internals.blocks"


class Views:
    """
    Finds the parts of shared objects in one pickle.

    Args:
        makers: Each returns the look of one object, or None if it has none.
    """

    def __init__(self, makers: Sequence[Callable[[], Look | None]]) -> None:
        self._makers = makers
        self._looks: list[Look] | None = None
        #: Types that use no memory of others; a pickle may hold many objects of one
        #: type.
        self._others: set[type] = set()

    def reduce(self, value: Any) -> Any:
        """
        Return the reduced form of an object on shared memory, or NotImplemented.

        Raises:
            ProxyError: It must not be pickled as usual, and cannot be shared.
        """
        kind = type(value)
        if kind in self._others:
            return NotImplemented
        library = str(kind.__module__).partition(".")[0]
        if library == "numpy":
            return self._reduce_numpy(value, kind, sys.modules["numpy"])
        if library == "pandas":
            return self._reduce_pandas(value, kind, sys.modules["pandas"])
        if library == "pyarrow" and kind.__name__ == "Buffer":
            return self._reduce_buffer(value)
        self._others.add(kind)
        return NotImplemented

    def _reduce_numpy(self, value: Any, kind: type, numpy: Any) -> Any:
        if kind is numpy.ndarray:
            return self._reduce_array(value, None)
        if kind in (numpy.recarray, numpy.matrix, numpy.memmap):
            return self._reduce_array(value.view(numpy.ndarray), kind)
        if kind is numpy.ma.MaskedArray and self._place_array(value.data) is not None:
            return reduce_masked_array(value)
        return NotImplemented

    def _reduce_array(self, array: Any, kind: type | None) -> Any:
        place = self._place_array(array)
        if place is None:
            return NotImplemented
        region = region_of(array)
        # A private copy may be written to, as a copy of the whole may, unless one write
        # would change several elements.
        keeps_flag = place.inplace or region.data > region.size
        writable = array.flags.writeable or not keeps_flag
        start = place.offset + array.ctypes.data - region.low
        how = (start, array.shape, array.strides, array.dtype, kind, writable)
        return rebuild_array, (place.memory, *how)

    def _place_array(self, array: Any) -> Place | None:
        if not array.nbytes or array.dtype.hasobject:
            return None
        return self._place(region_of(array))

    def _reduce_pandas(self, value: Any, kind: type, pandas: Any) -> Any:
        """
        Prevent pandas from copying an array before it pickles it.
        """
        if kind.__module__ == BLOCKS:
            return self._reduce_block(value)
        arrays = pandas.arrays
        if kind not in (arrays.ArrowExtensionArray, arrays.ArrowStringArray):
            return NotImplemented
        chunks = getattr(value.__arrow_array__(), "chunks", ())
        buffers = (buffer for chunk in chunks for buffer in chunk.buffers())
        if any(buffer and self._place_buffer(buffer) for buffer in buffers):
            return reduce_arrow_backed(value)
        return NotImplemented

    def _reduce_block(self, block: Any) -> Any:
        """
        Reduce some columns of a frame that are stored together.
        """
        # From protocol 5 on, pandas copies arrays that are not contiguous.
        reduced = block.__reduce_ex__(4)
        values = reduced[1][0]
        if getattr(values, "ndim", 1) == 1:
            return NotImplemented
        # Dates and similar types are stored as numbers.
        array = values if hasattr(values, "strides") else values.view("i8")
        return NotImplemented if self._place_array(array) is None else reduced

    def _reduce_buffer(self, buffer: Any) -> Any:
        place = self._place_buffer(buffer)
        if place is None:
            return NotImplemented
        return rebuild_buffer, (place.memory, place.offset, buffer.size)

    def _place_buffer(self, buffer: Any) -> Place | None:
        if not buffer.size or not buffer.is_cpu:
            return None
        size = buffer.size
        return self._place(Region(buffer.address, buffer.address + size, size))

    def _place(self, region: Region) -> Place | None:
        if self._looks is None:
            looks = [look for make in self._makers if (look := make()) is not None]
            # Memory that all processes see comes first.
            self._looks = sorted(looks, key=lambda look: not look.inplace)
        for look in self._looks:
            place = look.place(region)
            if place is not None:
                return place
        return None
