"""
Pandas frames, series and indexes of every kind that people share, by what they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 60


def dates(zone: str | None = None) -> Any:
    return pd.date_range("2020-02-28", periods=COUNT, freq="D", tz=zone)


def texts() -> list[str]:
    return [f"flight {number} to Zürich" for number in range(COUNT)]


def mixed() -> Any:
    """
    Give a frame with a column of each common type.
    """
    frame = pd.DataFrame(
        {
            "number": np.arange(COUNT),
            "other": np.arange(COUNT) * 2,
            "fraction": np.linspace(0, 1, COUNT),
            "flag": np.arange(COUNT) % 3 == 0,
            "text": texts(),
            "object": [None, "a", 3] * (COUNT // 3),
            "when": dates(),
            "where and when": dates("Europe/Zurich"),
            "took": pd.to_timedelta(np.arange(COUNT), "s"),
            "kind": pd.Categorical(["a", "b", None] * (COUNT // 3)),
            "nullable": pd.array([1, None, 3] * (COUNT // 3), dtype="Int64"),
            "maybe": pd.array([True, None, False] * (COUNT // 3), dtype="boolean"),
            "string": pd.array(texts(), dtype="string"),
            "arrow": pd.array(np.arange(COUNT), dtype="int64[pyarrow]"),
            "nested": pd.array(
                [[1, 2], None, []] * (COUNT // 3),
                dtype=pd.ArrowDtype(pa.list_(pa.int64())),
            ),
            "month": pd.period_range("2020-01", periods=COUNT, freq="M"),
            "range": pd.interval_range(0, COUNT),
        }
    )
    frame.attrs["source"] = "the weather"
    return frame


def many_blocks() -> Any:
    frame = pd.DataFrame({"a": np.arange(COUNT)})
    for number in range(5):
        frame[f"column {number}"] = np.arange(COUNT) * 0.5 + number
    return frame


def doubled() -> Any:
    frame = mixed()[["number", "text", "when"]]
    return frame.set_axis(["a", "b", "a"], axis=1)


def flagged() -> Any:
    return many_blocks().set_flags(allows_duplicate_labels=False)


FRAMES: dict[str, Callable[[], Any]] = {
    "mixed": mixed,
    "floats": lambda: pd.DataFrame(np.arange(200.0).reshape(50, 4), columns=[*"abcd"]),
    "many blocks": many_blocks,
    "over a Fortran array": lambda: pd.DataFrame(np.asfortranarray(np.eye(20))),
    "a part": lambda: mixed().iloc[5:20:3, 2:9],
    "sorted down": lambda: mixed().iloc[::-1],
    "column names twice": doubled,
    "no rows": lambda: mixed().iloc[:0],
    "no columns": lambda: mixed()[[]],
    "nothing": pd.DataFrame,
    "sparse": lambda: pd.DataFrame(np.eye(30)).astype(pd.SparseDtype("float", 0.0)),
    "rows by date": lambda: mixed().set_index("where and when"),
    "rows by text and date": lambda: mixed().set_index(["text", "when"]),
    "columns of two levels": lambda: mixed().pivot_table(
        values=["number", "fraction"], index="flag", columns="kind", observed=True
    ),
    "columns by number": lambda: pd.DataFrame(np.eye(4), columns=range(10, 14)),
    "no duplicates allowed": flagged,
    "transposed": lambda: many_blocks().T,
}

INDEXES: dict[str, Callable[[], Any]] = {
    "range": lambda: pd.RangeIndex(3, 50, 2, name="n"),
    "numbers": lambda: pd.Index(np.arange(COUNT) * 3, name="n"),
    "fractions": lambda: pd.Index([0.5, 1.5, np.nan]),
    "small numbers": lambda: pd.Index([1, 2, 3], dtype="uint8"),
    "texts": lambda: pd.Index(texts()),
    "objects": lambda: pd.Index(["a", 1, None], dtype=object),
    "categories": lambda: pd.CategoricalIndex(["a", "b", "a"], ordered=True),
    "nullable": lambda: pd.Index([1, None, 3], dtype="Int32"),
    "arrow": lambda: pd.Index([1, None, 3], dtype="int32[pyarrow]"),
    "dates": dates,
    "dates in a zone": lambda: dates("America/New_York"),
    "dates without frequency": lambda: dates()[[3, 1, 2]],
    "dates to the second": lambda: dates().as_unit("s"),
    "durations": lambda: pd.timedelta_range("1h", periods=COUNT),
    "periods": lambda: pd.period_range("2020-01", periods=COUNT, freq="M"),
    "intervals": lambda: pd.interval_range(0.0, 8.0, closed="both"),
    "levels": lambda: pd.MultiIndex.from_product(
        [["a", "b"], dates()[:5], range(3)], names=["x", "y", None]
    ),
    "booleans": lambda: pd.Index([True, False]),
    "nothing": lambda: pd.Index([]),
}
