"""
Arrow and polars tables of every kind that people share, by what they are.
"""

from __future__ import annotations

import datetime
import decimal
import functools
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 60
PRICE = decimal.Decimal("1.50")
DAY = datetime.date(2020, 2, 29)


def texts() -> list[str | None]:
    return [
        f"a text longer than twelve bytes {n}" if n % 5 else None for n in numbers()
    ]


def numbers() -> range:
    return range(COUNT)


def arrow() -> Any:
    """
    Give a table with a column of each common type.
    """
    return pa.table(
        {
            "number": pa.array(numbers()),
            "text": pa.array(texts()),
            "view": pa.array(texts(), pa.string_view()),
            "flag": pa.array([n % 2 == 0 for n in numbers()]),
            "day": pa.array([DAY] * COUNT),
            "list": pa.array([[n, None] for n in numbers()]),
            "record": pa.array([{"a": n, "b": str(n)} for n in numbers()]),
            "kind": pa.array(texts()).dictionary_encode(),
            "price": pa.array([PRICE] * COUNT),
            "nothing": pa.nulls(COUNT),
        },
        metadata={"source": "the weather"},
    )


def chunked() -> Any:
    return pa.concat_tables([arrow(), arrow().slice(7, 20)])


def polars() -> Any:
    """
    Give a frame with a column of each common type.
    """
    return pl.DataFrame(
        {
            "number": pl.Series(numbers(), dtype=pl.Int32).set_sorted(),
            "fraction": [n / 7 if n % 4 else None for n in numbers()],
            "text": texts(),
            "flag": [n % 2 == 0 for n in numbers()],
            "day": [DAY] * COUNT,
            "when": [datetime.datetime(2020, 2, 29, 12)] * COUNT,
            "took": [datetime.timedelta(seconds=n) for n in numbers()],
            "time": [datetime.time(12, 30)] * COUNT,
            "list": [[n, None] for n in numbers()],
            "record": [{"a": n, "b": str(n)} for n in numbers()],
            "pair": pl.Series([[n, n] for n in numbers()], dtype=pl.Array(pl.Int8, 2)),
            "kind": pl.Series(texts(), dtype=pl.Categorical),
            "one of": pl.Series(["a", "b"] * 30, dtype=pl.Enum(["a", "b"])),
            "price": pl.Series([PRICE] * COUNT, dtype=pl.Decimal(38, 2)),
            "bytes": [b"x" * n for n in numbers()],
            "nothing": [None] * COUNT,
        }
    )


def column(name: str) -> Any:
    return polars()[name]


ARROW: dict[str, Callable[[], Any]] = {
    "table": arrow,
    "part of a table": lambda: arrow().slice(10, 5),
    "chunks": chunked,
    "no rows": lambda: arrow().slice(0, 0),
    "no columns": lambda: pa.table({}),
    "record batch": lambda: arrow().to_batches()[0],
    "part of a record batch": lambda: arrow().to_batches()[0].slice(3, 9),
    "array": lambda: pa.array(texts()),
    "part of an array": lambda: pa.array(range(5000)).slice(100, 50),
    "chunked array": lambda: chunked()["text"],
    "part of a chunked array": lambda: chunked()["record"].slice(30, 40),
    "scalar": lambda: pa.scalar(DAY),
    "schema": lambda: arrow().schema,
}

POLARS: dict[str, Callable[[], Any]] = {
    "mixed": polars,
    "a part": lambda: polars().slice(10, 5),
    "chunks": lambda: pl.concat([polars(), polars()], rechunk=False),
    "no rows": lambda: polars().head(0),
    "nothing": pl.DataFrame,
    "wide numbers": lambda: pl.DataFrame({"a": [2**100]}, schema={"a": pl.Int128}),
    "in a zone": lambda: polars().select(
        pl.col("when").dt.replace_time_zone("Europe/Zurich")
    ),
    "lazy": lambda: polars().lazy().filter(pl.col("number") > 3).select("text"),
}

SERIES: dict[str, Callable[[], Any]] = {
    **{name: functools.partial(column, name) for name in polars().columns},
    "a part": lambda: polars()["text"].slice(10, 5),
    "chunks": lambda: polars()["text"].append(polars()["text"]),
    "no name": lambda: pl.Series([1, 2, 3]),
    "no items": lambda: pl.Series("a", [], pl.String),
}
