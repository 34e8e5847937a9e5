"""
What the other side does with an object: load it over mapped memory, and compare.
"""

from __future__ import annotations

import mmap
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pyarrow as pa
import scipy.sparse

from duck_jupyter.data.pickling import dump, load

if TYPE_CHECKING:
    from duck_jupyter.data.pickling import Dumped

ALIGNMENT = 64


def map_buffers(dumped: Dumped, writable: bool = True) -> list[memoryview]:
    """
    Put the buffers into a file, and give them back from a private mapping of it.
    """
    places = []
    with tempfile.TemporaryFile() as file:
        for buffer in dumped.buffers:
            file.seek(-file.tell() % ALIGNMENT, 1)
            places.append((file.tell(), buffer.nbytes))
            file.write(buffer)
        file.write(b"\0")  # or a mapping of nothing would be refused
        file.flush()
        access = mmap.ACCESS_COPY if writable else mmap.ACCESS_READ
        mapping = memoryview(mmap.mmap(file.fileno(), 0, access=access))
    return [mapping[start : start + size] for start, size in places]


def send(value: Any, writable: bool = True) -> Any:
    """
    Give what arrives of an object.
    """
    dumped = dump(value, "value")
    return load(dumped.head, map_buffers(dumped, writable))


def assert_same(got: Any, wanted: Any) -> None:
    """
    Compare by the library's own means, and what these leave out as well.
    """
    assert type(got) is type(wanted)
    if isinstance(wanted, np.ndarray):
        _assert_same_array(got, wanted)
    elif isinstance(wanted, pd.DataFrame):
        pd.testing.assert_frame_equal(got, wanted)
        assert got.attrs == wanted.attrs
        assert got.flags == wanted.flags
    elif isinstance(wanted, pd.Series):
        pd.testing.assert_series_equal(got, wanted)
    elif isinstance(wanted, pd.Index):
        pd.testing.assert_index_equal(got, wanted, exact=True)
        assert getattr(got, "freq", None) == getattr(wanted, "freq", None)
    elif isinstance(wanted, pl.DataFrame):
        polars.testing.assert_frame_equal(got, wanted)
        for one, other in zip(got, wanted, strict=True):
            assert _order(one) == _order(other)
    elif isinstance(wanted, pl.LazyFrame):
        polars.testing.assert_frame_equal(got, wanted)
    elif isinstance(wanted, pl.Series):
        polars.testing.assert_series_equal(got, wanted)
        assert _order(got) == _order(wanted)
    elif scipy.sparse.issparse(wanted):
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got.toarray(), wanted.toarray())
    elif isinstance(wanted, (pa.Table, pa.RecordBatch, pa.Schema)):
        assert got.equals(wanted, check_metadata=True)
    else:
        np.testing.assert_array_equal(got, wanted)


def _assert_same_array(got: Any, wanted: Any) -> None:
    assert got.dtype == wanted.dtype
    if not isinstance(wanted, np.ma.MaskedArray):
        np.testing.assert_array_equal(got, wanted)
        return
    np.testing.assert_array_equal(got.mask, np.ma.getmaskarray(wanted))
    np.testing.assert_array_equal(got.data, wanted.data)
    if not wanted.dtype.names:
        assert got.hardmask == wanted.hardmask
    # Asking for the value is remembered; and NaT is unequal to itself.
    assert str(got.copy().fill_value) == str(wanted.copy().fill_value)


def _order(series: Any) -> tuple[bool, bool]:
    return series.flags["SORTED_ASC"], series.flags["SORTED_DESC"]
