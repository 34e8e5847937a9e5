"""
Regions: memory of this process, and which objects a region may be a part of.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

__all__ = ["Region", "has_memory", "is_array", "may_hold", "region_of"]

#: The kinds whose parts lie on the same memory, by library.
KINDS_WITH_MEMORY: dict[str, tuple[str, ...]] = {
    "numpy": ("ndarray",),
    "pandas": ("DataFrame", "Series", "Index"),
    "pyarrow": ("Array", "ChunkedArray", "RecordBatch", "Table"),
}


class Region(NamedTuple):
    """
    Memory of this process that is to be pickled.
    """

    #: The first address, and the one after the last.
    low: int
    high: int
    #: Bytes of data: fewer than those from one end to the other where there are gaps,
    #: more where elements overlap.
    data: int

    @property
    def size(self) -> int:
        """
        Bytes from one end to the other.
        """
        return self.high - self.low


def region_of(array: Any) -> Region:
    """
    Return where the elements of a numpy array lie; it must have some.
    """
    low = high = array.ctypes.data
    for length, stride in zip(array.shape, array.strides, strict=True):
        if stride < 0:
            low += (length - 1) * stride
        else:
            high += (length - 1) * stride
    return Region(low, high + array.itemsize, array.nbytes)


def has_memory(target: Any) -> bool:
    """
    Return whether parts of an object may lie on the memory of the whole.
    """
    return any(_is_of(target, library) for library in KINDS_WITH_MEMORY)


def is_array(target: Any) -> bool:
    """
    Return whether an object is an array of numpy's.
    """
    return _is_of(target, "numpy")


def may_hold(target: Any, region: Region) -> bool:
    """
    Return whether it is worth taking an object apart to look for a region in it.
    """
    if is_array(target):
        if not target.size or target.dtype.hasobject:
            return False
        whole = region_of(target)
        # An array with gaps is copied before it is published.
        gapless = whole.size == whole.data
        return gapless and whole.low <= region.low and region.high <= whole.high
    if _is_of(target, "pandas"):
        return not any(map(_is_slow, _list_dtypes(target)))
    return True


def _is_of(target: Any, library: str) -> bool:
    module: Any = sys.modules.get(library)
    if module is None:
        return False
    # A module that another thread is importing lacks some.
    names = KINDS_WITH_MEMORY[library]
    kinds = tuple(getattr(module, name) for name in names if hasattr(module, name))
    # Not isinstance: it may ask a property of the object's.
    return issubclass(type(target), kinds)


def _list_dtypes(target: Any) -> list[Any]:
    """
    List the types of the columns and of the index of an object of pandas.
    """
    columns = list(getattr(target, "dtypes", ())) if target.ndim == 2 else [target]
    index = getattr(target, "index", None)
    levels = getattr(index, "levels", [] if index is None else [index])
    return [getattr(part, "dtype", part) for part in (*columns, *levels)]


def _is_slow(dtype: Any) -> bool:
    """
    Return whether the values are Python objects, each of which is pickled by itself.
    """
    if getattr(dtype, "hasobject", False):  # of numpy
        return True
    return getattr(dtype, "storage", "") == "python"
