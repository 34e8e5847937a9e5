"""
Regions: memory of this process, and the objects that may contain a region.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

__all__ = ["Region", "has_memory", "is_array", "may_hold", "region_of"]

#: The types, by library, whose parts use the memory of the whole.
KINDS_WITH_MEMORY: dict[str, tuple[str, ...]] = {
    "numpy": ("ndarray",),
    "pandas": ("DataFrame", "Series", "Index"),
    "pyarrow": ("Array", "ChunkedArray", "RecordBatch", "Table"),
}


class Region(NamedTuple):
    """
    Memory of this process that will be pickled.
    """

    #: The first address, and the address after the last one.
    low: int
    high: int
    #: Bytes of data: fewer than the bytes from one end to the other if there are gaps,
    #: more if elements overlap.
    data: int

    @property
    def size(self) -> int:
        """
        Bytes from one end to the other.
        """
        return self.high - self.low


def region_of(array: Any) -> Region:
    """
    Return the region of a numpy array's elements; the array must not be empty.
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
    Return whether parts of an object may use the memory of the whole.
    """
    return any(_is_of(target, library) for library in KINDS_WITH_MEMORY)


def is_array(target: Any) -> bool:
    """
    Return whether an object is a numpy array.
    """
    return _is_of(target, "numpy")


def may_hold(target: Any, region: Region) -> bool:
    """
    Return whether an object is worth dumping to search for a region in it.
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
    # While another thread imports the module, some of the names are missing.
    names = KINDS_WITH_MEMORY[library]
    kinds = tuple(getattr(module, name) for name in names if hasattr(module, name))
    # Not isinstance(), which may read a property of the object.
    return issubclass(type(target), kinds)


def _list_dtypes(target: Any) -> list[Any]:
    """
    List the dtypes of the columns and of the index of a pandas object.
    """
    columns = list(getattr(target, "dtypes", ())) if target.ndim == 2 else [target]
    index = getattr(target, "index", None)
    levels = getattr(index, "levels", [] if index is None else [index])
    return [getattr(part, "dtype", part) for part in (*columns, *levels)]


def _is_slow(dtype: Any) -> bool:
    """
    Return whether the values are Python objects, each of which is pickled alone.
    """
    if getattr(dtype, "hasobject", False):  # numpy's attribute
        return True
    return getattr(dtype, "storage", "") == "python"
