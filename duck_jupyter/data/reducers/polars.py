"""
Polars frames: pickled as Arrow tables, whose memory is out of band.

If Arrow cannot express all properties of a column, polars' own pickling is used.
"""

from __future__ import annotations

from typing import Any

__all__ = ["reduce_polars_frame", "reduce_polars_series"]

#: The names of polars, and whether the order is descending.
ORDERS = {"SORTED_ASC": False, "SORTED_DESC": True}
#: The name of the column for a series without a name.
COLUMN = "values"


def reduce_polars_frame(frame: Any) -> Any:
    """
    Return the reduced form of a `polars.DataFrame`.
    """
    table = _to_arrow(frame)
    if table is None:
        return NotImplemented
    return _rebuild_frame, (table, _find_orders(frame))


def reduce_polars_series(series: Any) -> Any:
    """
    Return the reduced form of a `polars.Series`.
    """
    frame = series.rename(COLUMN).to_frame()
    table = _to_arrow(frame)
    if table is None:
        return NotImplemented
    return _rebuild_series, (table, _find_orders(frame), series.name)


def _to_arrow(frame: Any) -> Any:
    """
    Return an equal Arrow table, or None if Arrow cannot express the frame.
    """
    import polars as pl

    try:
        newest = pl.CompatLevel.newest()
        kept: Any = pl.from_arrow(frame.head(0).to_arrow(compat_level=newest))
        if not frame.width or kept.schema != frame.schema:
            return None
        return frame.to_arrow(compat_level=newest)
    except Exception:  # no pyarrow here, or a type that Arrow does not have
        return None


def _find_orders(frame: Any) -> dict[str, bool]:
    """
    Return the columns that polars knows to be sorted, and whether descending.
    """
    return {
        column.name: downwards
        for column in frame
        for flag, downwards in ORDERS.items()
        if column.flags.get(flag)
    }


def _rebuild_frame(table: Any, orders: dict[str, bool]) -> Any:
    import polars as pl

    frame: Any = pl.from_arrow(table, rechunk=False)
    return frame.with_columns(
        frame[name].set_sorted(descending=downwards)
        for name, downwards in orders.items()
    )


def _rebuild_series(table: Any, orders: dict[str, bool], name: str) -> Any:
    return _rebuild_frame(table, orders).to_series().rename(name)
