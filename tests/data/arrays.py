"""
NumPy arrays and sparse matrices of every kind that people share, by what they are.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS: Any = [("id", "i8"), ("when", "M8[s]"), ("name", "U8"), ("at", "f4", (2,))]


def numbers(*shape: int) -> Any:
    """
    Give different numbers in an array of a shape.
    """
    return np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape)


def read_only() -> Any:
    array = numbers(50)
    array.flags.writeable = False
    return array


def records() -> Any:
    array = np.zeros(30, RECORDS)
    array["id"] = range(30)
    array["when"] = np.datetime64("2020-02-29") + np.arange(30)
    array["name"] = "Zoë"
    return array


def mixed() -> Any:
    array = np.empty(3, object)
    array[:] = ["text", None, (1, 2.5)]
    return array


def matrix() -> Any:
    return numbers(3, 4).view(np.matrix)


#: Of exactly the class `numpy.ndarray`, with memory.
PLAIN: dict[str, Callable[[], Any]] = {
    "C order": lambda: numbers(20, 30),
    "Fortran order": lambda: np.asfortranarray(numbers(20, 30)),
    "axes in another order": lambda: numbers(4, 5, 6).transpose(1, 2, 0),
    "strided": lambda: numbers(100)[::2],
    "columns of a table": lambda: numbers(20, 30)[:, 3:7],
    "negative strides": lambda: numbers(20, 30)[::-1, ::-1],
    "gaps in Fortran order": lambda: np.asfortranarray(numbers(20, 30))[::2],
    "broadcast": lambda: np.broadcast_to(numbers(30), (20, 30)),
    "0-d": lambda: np.array(2.5),
    "one number": lambda: np.array([7]),
    "read-only": read_only,
    "big-endian": lambda: np.arange(40, dtype=">i4"),
    "dates": lambda: np.datetime64("2020-02-29", "ns") + np.arange(40),
    "dates in Fortran order": lambda: np.arange(40).astype("M8[D]").reshape(5, 8).T,
    "dates with gaps": lambda: np.arange(80).astype("M8[ms]")[::-2],
    "big-endian dates": lambda: np.arange(40).astype(">M8[us]"),
    "dates of no unit": lambda: np.full(3, "NaT", "M8"),
    "durations": lambda: np.arange(40).astype("m8[h]"),
    "records": records,
    "a field of records": lambda: records()["when"],
    "records in two dimensions": lambda: records().reshape(5, 6),
    "complex": lambda: numbers(8) * 1j,
    "half": lambda: numbers(30).astype("f2"),
    "long": lambda: numbers(30).astype("g"),
    "booleans": lambda: numbers(30) > 10,
    "text": lambda: np.array(["a", "bcd", "Zoë"]),
    "bytes": lambda: np.array([b"a", b"bcd"]),
    "raw": lambda: np.arange(6, dtype="u4").view("V8"),
    "aligned records": lambda: np.zeros(9, np.dtype("u1,f8", align=True)),
    "not aligned": lambda: np.zeros(81, "u1")[1:].view("f8"),
}

#: What goes as numpy has it.
OTHERS: dict[str, Callable[[], Any]] = {
    "empty": lambda: numbers(0, 3),
    "empty dates": lambda: np.empty((3, 0), "M8[s]"),
    "text of no length": lambda: np.array(["", ""], "U0"),
    "objects": mixed,
    "objects in records": lambda: np.array([(1, "a")], [("n", "i4"), ("o", object)]),
    "masked": lambda: np.ma.masked_less(numbers(40), 7),
    "masked with a value": lambda: np.ma.array(
        [1, 2], mask=[False, True], fill_value=-5, hard_mask=True
    ),
    "masked dates": lambda: np.ma.array(np.arange(9).astype("M8[D]"), mask=True),
    "masked text": lambda: np.ma.array(["a", "b"], mask=[True, False]),
    "masked in Fortran order": lambda: np.ma.masked_less(numbers(4, 5), 7).T,
    "masked with NaN": lambda: np.ma.array([1.0, 2.0], mask=True, fill_value=np.nan),
    "masked 0-d": lambda: np.ma.array(3.5, mask=True),
    "masked records": lambda: np.ma.array(records(), mask=False),
    "nothing masked": lambda: np.ma.array([1.0, 2.0]),
    "a number": lambda: np.float32(2.5),
    "a date": lambda: np.datetime64("2020-02-29", "s"),
    "a record": lambda: records()[3],
}

#: Classes derived from `numpy.ndarray` whose memory goes out of band.
DERIVED: dict[str, Callable[[], Any]] = {
    "record array": lambda: records().view(np.recarray),
    "record array of two fields": lambda: np.rec.fromarrays([[1, 2], [2.5, 3]]),
    "matrix": matrix,
    "matrix with gaps": lambda: matrix()[:, ::2],
}

SPARSE: dict[str, Callable[[], Any]] = {
    kind.__name__: functools.partial(kind, np.diag(numbers(40) + 1))
    for kind in (
        *(sp.csr_array, sp.csc_array, sp.coo_array, sp.bsr_array, sp.dia_array),
        *(sp.lil_array, sp.dok_array, sp.csr_matrix, sp.csc_matrix, sp.coo_matrix),
        *(sp.bsr_matrix, sp.dia_matrix, sp.lil_matrix, sp.dok_matrix),
    )
}
