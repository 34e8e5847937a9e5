"""
Shared arrays and frames whose parts are passed on, and such parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from .variables import Variables

__all__ = ["COLUMNS", "PARTS", "ROWS", "make_frame", "share_array"]

ROWS, COLUMNS = 20_000, 8

#: Parts of an array of ROWS and COLUMNS.
PARTS: dict[str, Callable[[Any], Any]] = {
    "rows": lambda array: array[100:-100],
    "rows from end to end": lambda array: array[::-1],
    "every third": lambda array: array[::3],
    "a column": lambda array: array[:, 3],
    "columns backwards": lambda array: array[5:, 6:2:-2],
    "transposed": lambda array: array.T,
    "of another shape": lambda array: array.reshape(-1, 2 * COLUMNS),
    "flat": lambda array: array.ravel(),
    "all of it": lambda array: array[...],
    "as bytes": lambda array: array.view("u1")[:, 1:],
    "an axis more": lambda array: array[:, None],
    "the last of a split": lambda array: np.array_split(array, 3)[-1],
}


def share_array(variables: Variables, name: str, **terms: Any) -> Any:
    """
    Share an array of ROWS and COLUMNS, and give it as it is then.
    """
    variables[name] = np.arange(ROWS * COLUMNS * 1.0).reshape(ROWS, COLUMNS)
    variables.share(name, **terms)
    return variables[name]


def make_frame() -> pd.DataFrame:
    """
    Make a frame of several kinds of columns, none of which is of Python objects.
    """
    return pd.DataFrame(
        {
            "a": np.arange(ROWS * 2.0),
            "b": np.arange(ROWS * 2),
            "c": 1.5,
            "when": pd.date_range("2026-01-01", periods=ROWS * 2, freq="s"),
            "late": pd.date_range("2030-01-01", periods=ROWS * 2, freq="s", tz="UTC"),
            "then": pd.date_range("2027-01-01", periods=ROWS * 2, freq="min"),
            "ok": pd.array([True, None] * ROWS, dtype="boolean"),
        }
    )
