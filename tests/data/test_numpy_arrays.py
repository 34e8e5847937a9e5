"""
Arrays: their flags, their memory, and that none of it is copied without need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from duck_jupyter.data.pickling import dump
from tests.data import arrays
from tests.data.mapped import assert_same, send

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GAPS = {"strided", "columns of a table", "negative strides", "gaps in Fortran order"}
GAPS |= {"broadcast", "dates with gaps", "a field of records"}
PIECES = {name: make for name, make in arrays.PLAIN.items() if name not in GAPS}
plain = pytest.mark.parametrize("make", arrays.PLAIN.values(), ids=arrays.PLAIN)
pieces = pytest.mark.parametrize("make", PIECES.values(), ids=PIECES)

SCALARS = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.unsigned_integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?"),
    npst.complex_number_dtypes(endianness="?"),
    npst.datetime64_dtypes(endianness="?"),
    npst.timedelta64_dtypes(endianness="?"),
    npst.byte_string_dtypes(),
    npst.unicode_string_dtypes(),
)
DTYPES = st.one_of(SCALARS, npst.array_dtypes(SCALARS, max_size=3))
SHAPES = npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def views(draw: st.DrawFn) -> Any:
    """
    Give a view on an array of any type: axes exchanged, parts, steps backwards.
    """
    shape = draw(SHAPES)
    dtype = draw(DTYPES)
    size = int(np.prod(shape)) * dtype.itemsize
    memory = bytearray(draw(st.binary(min_size=size, max_size=size)))
    if dtype.hasobject or dtype.kind == "U" or dtype.names:
        array: Any = np.zeros(shape, dtype)  # not all bytes are text
    else:
        array = np.ndarray(
            shape, dtype, bytes(memory) if draw(st.booleans()) else memory
        )
    array = array.transpose(draw(st.permutations(range(array.ndim))))
    if 0 in array.shape or not array.ndim:
        return array
    return array[draw(npst.basic_indices(array.shape, allow_ellipsis=True))]


@given(views())
@settings(max_examples=150, deadline=None)
def test_any_array_arrives(array: Any) -> None:
    got = send(array)
    assert type(got) is type(array)
    assert (got.dtype, got.shape) == (array.dtype, array.shape)
    assert got.tobytes() == array.tobytes()
    if isinstance(array, np.ndarray):
        assert got.flags.writeable


@plain
def test_all_the_memory_goes_out_of_band_and_decides_who_may_write(
    make: Callable[[], Any],
) -> None:
    array = make()
    dumped = dump(array, "array")
    assert [buffer.nbytes for buffer in dumped.buffers] == [array.nbytes]
    assert len(dumped.head) < 400
    assert send(array, writable=True).flags.writeable
    assert not send(array, writable=False).flags.writeable


@pieces
def test_an_array_in_one_piece_is_not_copied_and_keeps_its_order(
    make: Callable[[], Any],
) -> None:
    array = make()
    (buffer,) = dump(array, "array").buffers
    assert np.frombuffer(buffer, "u1").ctypes.data == array.ctypes.data
    got = send(array)
    assert got.strides == array.strides
    assert got.flags.c_contiguous == array.flags.c_contiguous
    assert got.flags.f_contiguous == array.flags.f_contiguous


@pytest.mark.parametrize("make", arrays.DERIVED.values(), ids=arrays.DERIVED)
def test_a_derived_array_goes_out_of_band(make: Callable[[], Any]) -> None:
    array = make()
    dumped = dump(array, "array")
    assert [buffer.nbytes for buffer in dumped.buffers] == [array.nbytes]
    assert_same(send(array), array)


def test_a_masked_array_goes_out_of_band_and_keeps_its_masks_to_itself() -> None:
    array: Any = np.ma.masked_less(arrays.numbers(1000), 7)
    dumped = dump(array, "array")
    assert [buffer.nbytes for buffer in dumped.buffers] == [8000, 1000]
    got = send(array)
    got[10] = np.ma.masked
    got[11] = 5
    assert (got.count(), array.count()) == (992, 993)
    assert array[11] == 11
    assert got.astype(int).fill_value == array.astype(int).fill_value


def test_a_memory_mapped_array_arrives_with_its_numbers(tmp_path: Path) -> None:
    array: Any = np.memmap(tmp_path / "numbers", "f8", "w+", shape=(30, 40))
    array[:] = arrays.numbers(30, 40)
    got = send(array)
    assert type(got) is np.memmap
    assert_same(got, array)


def test_a_class_of_the_users_goes_as_it_wants() -> None:
    array = arrays.numbers(20).view(Tagged)
    array.tag = "mine"
    got = send(array)
    assert type(got) is Tagged
    assert got.tag == "mine"
    np.testing.assert_array_equal(got, array)


class Tagged(np.ndarray[Any, Any]):
    """
    An array that takes more along than its numbers.
    """

    tag: str

    def __reduce__(self) -> Any:
        return _tag, (np.asarray(self), self.tag)


def _tag(array: Any, tag: str) -> Any:
    tagged = array.view(Tagged)
    tagged.tag = tag
    return tagged
