"""
Frames, series, indexes and groups of pandas.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter.objects.harmless.registry import TABLES
from tests.objects.harmless.walk import Sample, walk

if TYPE_CHECKING:
    from collections.abc import Callable


def whole(**columns: Any) -> Callable[[], Any]:
    return lambda: pd.DataFrame({name: list(value) for name, value in columns.items()})


a_frame = whole(x=[3, 1, 2], y=[4, 6, 5])
with_text = whole(k=["a", "b", "a"], y=[4.0, 1.0, 5.0])


def a_series() -> Any:
    return pd.Series([3, 1, 2], name="x")


def with_gaps() -> Any:
    return pd.Series([3.0, None, 2.0], name="x")


def timed() -> Any:
    index = pd.date_range("2026-01-01", periods=3, freq="D", name="t")
    return pd.DataFrame({"x": [3.0, None, 2.0]}, index)


def zoned() -> Any:
    return timed().tz_localize("UTC")


def in_periods() -> Any:
    return timed().to_period("D")


def in_levels() -> Any:
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["k", "n"])
    return pd.DataFrame({"x": [3, 1, 2, 4]}, index)


def column(make: Callable[[], Any], name: str = "x") -> Callable[[], Any]:
    return lambda: make()[name]


COMMON = """
    __matmul__(np.eye(N, dtype=int))
    add(1); add_prefix('p'); add_suffix('s'); agg('sum'); aggregate('sum')
    apply(lambda x: x); astype(float); clip(1, 2); corr(like); cov(like)
    combine(like, max); combine_first(like); compare(like + 1); div(2); divide(2); eq(1)
    dot(np.eye(N, dtype=int)); drop([0]); equals(like); ewm(com=1); expanding()
    fillna(0); filter([0], axis=0); floordiv(2); ge(1); get(0); groupby(lambda i: i % 2)
    gt(1); head(1); info(buf=io.StringIO()); isin([1]); le(1); lt(1)
    map(lambda x: x + 1); applymap(lambda x: x + 1); mask(like > 1); mod(2); mul(2)
    multiply(2); ne(1); pipe(lambda x: x + 1); pow(2); quantile(0.5); radd(1); rdiv(2)
    reindex([2, 9]); reindex_like(like); rename_axis('i'); replace(3, 9); rfloordiv(2)
    rmod(2); rmul(2); rolling(2); round(1); rpow(2); rsub(2); rtruediv(2); rdivmod(2)
    sample(2); set_axis([7, 8, 9]); set_flags(allows_duplicate_labels=False); shift(1)
    sub(1); subtract(1); tail(1); take([0]); transform(lambda x: x); truediv(2)
    truncate(0, 1); where(like > 1); xs(0); align(like); divmod(2)
"""
FRAME = (
    COMMON.replace("N", "2").replace("corr(like); cov(like)", "")
    + """
    __contains__('x'); __getitem__('x'); assign(z=1); corrwith(like); eval('z = x + y')
    nlargest(1, 'x'); nsmallest(1, 'x'); query('x > 1'); rename(columns={'x': 'z'})
    select_dtypes('number'); set_index('x'); sort_values('x'); merge(like)
    join(like.add_prefix('o')); pivot(columns='x', values='y'); explode('x')
    combine(like, lambda a, b: a)
    pivot_table('y', 'x')
"""
)
SERIES = (
    COMMON.replace("N", "3")
    + """
    __contains__(0); __getitem__(0); between(1, 2); map({3: 9}); rename('z')
    repeat(2); searchsorted(2); case_when([(like > 1, 0)]); item()
"""
)
TIMED = """
    asfreq('D'); at_time('00:00'); between_time('00:00', '01:00'); to_period()
    tz_localize('UTC'); asof('2026-01-02'); resample('2D')
    interpolate(); bfill(); ffill(); first_valid_index(); last_valid_index()
"""
LEVELS = "droplevel(0); reorder_levels([1, 0]); swaplevel(); unstack(); stack()"
TIMES = """
    as_unit('s'); ceil('h'); floor('h'); round('h'); strftime('%Y'); to_period('D')
    tz_localize('UTC'); asfreq('M'); indexer_at_time('00:00')
    indexer_between_time('00:00', '01:00')
"""
INDEX = """
    __contains__(1); __getitem__(0); append(like); asof(3); astype(float); delete(0)
    difference(like); drop([3]); equals(like); fillna(0); get_indexer([1])
    get_indexer_for([1]); get_indexer_non_unique([1]); get_level_values(0); get_loc(1)
    get_slice_bound(1, 'left'); groupby(['a', 'b', 'a']); identical(like); insert(0, 9)
    intersection(like); isin([1]); join(like); map(str); putmask([True] * 3, 9)
    reindex([1]); rename('z'); repeat(2); round(1); searchsorted(2); set_names('z')
    slice_indexer(1, 1); slice_locs(1, 1); symmetric_difference(like); take([0])
    union(like); where([True] * 3, 9)
"""
INTERPOLATION = {
    "method": "linear",
    "axis": 0,
    "index": pd.RangeIndex(3),
    "limit": None,
    "limit_direction": "forward",
    "limit_area": None,
    "copy": True,
}
GROUPS = """
    agg('sum'); aggregate('sum'); apply(len); filter(lambda x: len(x) > 1)
    get_group('a'); pipe(len); rolling(2); transform('sum'); sample(1); fillna(0)
    take([0]); nlargest(1); nsmallest(1)
"""
WINDOW = """
    agg('sum'); aggregate('sum'); apply(len); pipe(lambda x: x.sum()); quantile(0.5)
    __getitem__('x')
"""
TEXT = """
    __getitem__(0); cat(sep='-'); center(9); contains('a'); count('a'); decode('ascii')
    encode('ascii'); endswith('a'); extract('(a)'); extractall('(a)'); find('a')
    findall('a'); fullmatch('a'); get(0); join('-'); ljust(9); match('a')
    normalize('NFC'); pad(9); removeprefix('a'); removesuffix('a'); repeat(2)
    replace('a', 'b'); rfind('a'); rjust(9); slice(1)
    slice_replace(0, 1, 'z'); startswith('a'); translate({97: 'z'}); wrap(5); zfill(9)
"""
CATEGORIES = """
    add_categories(['z']); remove_categories(['a']); rename_categories({'a': 'z'})
    reorder_categories(['b', 'a']); set_categories(['a'])
"""
ARRAY = """
    __contains__(1); __getitem__(0); astype(float); equals(like.array); fillna(0)
    insert(0, 9); isin([1]); map(str); repeat(2); searchsorted(2); take([0])
    interpolate(**interpolation)
"""


def grouped(name: str | None = None) -> Callable[[Any], Any]:
    def reach(frame: Any) -> Any:
        groups = frame.groupby("k")
        return groups if name is None else groups[name]

    return reach


def dt(frame: Any) -> Any:
    return frame.index.to_series().dt


SAMPLES: dict[str, list[Sample]] = {
    "BaseGroupBy": [
        Sample(with_text, GROUPS, grouped("y")),
        Sample(with_text, "corr(); cov(); __getitem__('y')", grouped()),
        Sample(
            timed,
            "asfreq(); interpolate(); first(); ohlc()",
            lambda frame: frame["x"].resample("2D"),
        ),
        Sample(timed, "resample('D')", lambda frame: frame.groupby("x")),
    ],
    "BaseWindow": [Sample(a_frame, WINDOW, lambda frame: frame.rolling(2))],
    "CategoricalAccessor": [
        Sample(
            lambda: pd.Series(list("aba"), dtype="category"),
            CATEGORIES,
            lambda s: s.cat,
        )
    ],
    "DataFrame": [
        Sample(a_frame, FRAME),
        Sample(timed, TIMED),
        Sample(zoned, "tz_convert('CET')"),
        Sample(in_periods, "to_timestamp()"),
        Sample(in_levels, LEVELS),
    ],
    "DatetimeIndex": [
        Sample(timed, TIMES, lambda frame: frame.index),
        Sample(zoned, "tz_convert('CET')", lambda frame: frame.index),
    ],
    "ExtensionArray": [
        Sample(lambda: pd.Series([3, 1, 2], dtype="Int64"), ARRAY, lambda s: s.array)
    ],
    "Index": [
        Sample(lambda: pd.Index([3, 1, 2], name="i"), INDEX),
        Sample(lambda: pd.Index([1, 2, 3], name="i"), "asof(2); slice_locs(1, 2)"),
        Sample(lambda: pd.Index([3], name="i"), "item()"),
        Sample(timed, "shift(1)", lambda frame: frame.index),
        Sample(in_levels, "droplevel(0)", lambda frame: frame.index),
    ],
    "MultiIndex": [
        Sample(
            in_levels,
            """
            get_loc_level('a'); get_locs(['a']); reorder_levels([1, 0])
            set_codes([0, 1, 0, 1], level=0); set_levels(['c', 'd'], level=0)
            truncate('a', 'b')
            """,
            lambda frame: frame.index,
        )
    ],
    "PeriodIndex": [
        Sample(in_periods, "strftime('%Y'); asfreq('M')", lambda frame: frame.index)
    ],
    "Properties": [
        Sample(timed, TIMES, dt),
        Sample(zoned, "tz_convert('CET')", dt),
        Sample(in_periods, "to_timestamp()", dt),
        Sample(
            lambda: pd.Series(pd.to_timedelta([1, 2], "h")),
            "total_seconds(); to_pytimedelta()",
            lambda series: series.dt,
        ),
    ],
    "Series": [
        Sample(a_series, SERIES),
        Sample(column(timed), TIMED),
        Sample(column(zoned), "tz_convert('CET')"),
        Sample(column(in_periods), "to_timestamp()"),
        Sample(column(in_levels), LEVELS),
        Sample(lambda: pd.Series([3]), "item()"),
        Sample(with_gaps, "dropna()"),
    ],
    "StringMethods": [
        Sample(column(with_text, "k"), TEXT, lambda series: series.str),
        Sample(
            lambda: pd.Series(["a", "ba"]),
            "index('a'); rindex('a')",
            lambda series: series.str,
        ),
        Sample(
            lambda: pd.Series([b"a", b"ab"], dtype=object),
            "decode('ascii')",
            lambda series: series.str,
        ),
        Sample(lambda: pd.Series([["a", "b"]]), "join('-')", lambda series: series.str),
    ],
    "TimedeltaIndex": [
        Sample(lambda: pd.to_timedelta([1, 2], "h"), "as_unit('s'); " + TIMES)
    ],
    "_LocationIndexer": [
        Sample(a_frame, "__getitem__((0, 'x'))", lambda frame: frame.loc)
    ],
    "_ScalarAccessIndexer": [
        Sample(a_frame, "__getitem__((0, 'x'))", lambda frame: frame.at)
    ],
}


def state(value: Any) -> Any:
    """
    Give the data, the labels, the types and the names.
    """
    parts = [value] if isinstance(value, pd.Index) else [value, value.index]
    if isinstance(value, pd.DataFrame):
        parts += [value.columns, value.dtypes]
    seen = [(type(part), repr(part), str(part.to_numpy().tolist())) for part in parts]
    names = [getattr(part, "names", None) for part in parts]
    flags = getattr(value, "flags", None)
    return seen, names, getattr(value, "attrs", None), repr(flags)


@pytest.mark.parametrize("kind", TABLES["pandas"])
def test_a_harmless_method_changes_nothing(kind: str) -> None:
    likes = {"DataFrame": a_frame(), "Index": pd.Index([1, 9, 2])}
    names = {
        "interpolation": INTERPOLATION,
        "io": io,
        "np": np,
        "like": likes.get(kind, a_series()),
    }
    walk("pandas", kind, SAMPLES[kind], state, names)
