"""
Arrays of numpy.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from duck_jupyter.objects.harmless.registry import TABLES
from tests.objects.harmless.walk import Sample, walk

CALLS = """
    __contains__(1); __getitem__(0); __matmul__(np.eye(3, dtype=int))
    argpartition(1); astype(float); choose([7, 8, 9, 6], mode='clip'); clip(0, 1)
    compress([True]); dot(np.eye(3, dtype=int)); item(0); repeat(2); reshape(-1)
    searchsorted(2); swapaxes(0, 0); take([0]); view(np.uint8)
"""


def a_row() -> Any:
    return np.array([3, 1, 2])


def a_square() -> Any:
    return np.array([[3, 1, 2], [9, 8, 7], [4, 6, 5]])


def a_matrix() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(a_square())


def masked() -> Any:
    return np.ma.MaskedArray([[3, 1, 2]] * 3, mask=[[False, True, False]] * 3)


SAMPLES = {
    "MaskedArray": [
        Sample(masked, CALLS + "view(float)"),
        Sample(
            lambda: np.ma.MaskedArray([3, 1, 2], mask=[False, True, False]),
            "argpartition(1)",
        ),
    ],
    "flatiter": [Sample(a_row, "__getitem__(1)", lambda whole: whole.flat)],
    "generic": [Sample(lambda: np.int64(5), "astype(float); clip(0, 1); item()")],
    "matrix": [Sample(a_matrix)],
    "ndarray": [
        Sample(a_row, CALLS),
        Sample(a_square, "trace(); diagonal(); transpose(); squeeze()"),
    ],
    "recarray": [
        Sample(
            lambda: np.zeros(2, [("x", int), ("y", float)]).view(np.recarray),
            "field('x')",
        ),
    ],
}


def state(array: Any) -> Any:
    seen = [array.dtype, array.shape, array.strides, array.tobytes()]
    if isinstance(array, np.ma.MaskedArray):
        plain = (array.data.tobytes(), array.mask.tobytes())
        return [*seen, *plain, repr(array), array.fill_value, array.hardmask]
    return [*seen, array.flags.writeable]


@pytest.mark.parametrize("kind", TABLES["numpy"])
def test_a_harmless_method_changes_nothing(kind: str) -> None:
    walk("numpy", kind, SAMPLES[kind], state, {"np": np})
