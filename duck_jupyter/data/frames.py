"""
Polars frames: handed over as Arrow tables, which have their memory out of band.
"""

from __future__ import annotations

from typing import Any

__all__ = ["reduce_polars_frame", "reduce_polars_series"]


def reduce_polars_frame(frame: Any) -> Any:
    """
    Give the reduced form of a `polars.DataFrame`.
    """
    table = _to_arrow(frame)
    return NotImplemented if table is None else (_rebuild_frame, (table,))


def reduce_polars_series(series: Any) -> Any:
    """
    Give the reduced form of a `polars.Series`.
    """
    table = _to_arrow(series.to_frame())
    return NotImplemented if table is None else (_rebuild_series, (table,))


def _to_arrow(frame: Any) -> Any:
    """
    Give a table that is the same frame, or None where Arrow cannot say all of it.
    """
    import polars as pl

    try:
        newest = pl.CompatLevel.newest()
        kept: Any = pl.from_arrow(frame.head(0).to_arrow(compat_level=newest))
        if not frame.width or kept.schema != frame.schema:
            return None
        return frame.to_arrow(compat_level=newest)
    except Exception:  # without pyarrow, or a type that Arrow does not know
        return None


def _rebuild_frame(table: Any) -> Any:
    import polars as pl

    return pl.from_arrow(table, rechunk=False)


def _rebuild_series(table: Any) -> Any:
    return _rebuild_frame(table).to_series()
