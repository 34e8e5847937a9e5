"""
Frames and series of polars.
"""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl
import pytest

from duck_jupyter.objects.harmless.registry import TABLES
from tests.objects.harmless.walk import Sample, walk


def a_frame() -> Any:
    return pl.DataFrame({"x": [3, 1, 2], "y": [1.5, None, 3.0]})


def ordered() -> Any:
    return pl.DataFrame({"x": [1, 2, 3], "y": [1.5, 2.5, 3.0]})


def nested() -> Any:
    return pl.DataFrame({"x": [1, 2], "l": [[1], [2, 3]], "s": [{"a": 1}, {"a": 2}]})


def timed() -> Any:
    days = [datetime.datetime(2026, 1, day) for day in (1, 2, 4)]
    return pl.DataFrame({"t": days, "x": [3, 1, 2]})


def a_series() -> Any:
    return pl.Series("x", [3.0, 1.0, 2.0])


def whole_numbers() -> Any:
    return pl.Series("x", [3, 1, 2])


def flags() -> Any:
    return pl.Series("x", [True, False, True])


FRAME = """
    __contains__('x'); __getitem__('x'); bottom_k(1, by='x'); cast(float)
    drop('x'); equals(like); explode('l'); fill_nan(0); fill_null(0)
    filter(pl.col('x') > 1); fold(lambda a, b: a + b); gather_every(2); get_column('x')
    get_column_index('x'); group_by('x'); group_by_dynamic('t', every='1d'); head(1)
    hstack([pl.Series('n', [1, 2, 3])]); item(0, 'x'); join(like, 'x')
    join_asof(like, on='x'); limit(1); map_columns('x', lambda s: s + 1)
    map_rows(lambda row: row[0]); merge_sorted(like, 'x'); partition_by('x')
    join_where(like, pl.col('x') > pl.col('x_right')); pipe(len)
    pivot('x', index='y', values='x'); quantile(0.5); remove(pl.col('x') > 1)
    rename({'x': 'z'}); rolling('t', period='1d'); row(0); rows_by_key('x'); sample(1)
    select('x'); select_seq('x'); shift(1); slice(1); sort('x'); tail(1)
    to_struct('s'); top_k(1, by='x'); unnest('s'); unpivot(index='x'); unstack(step=2)
    upsample('t', every='1d'); vstack(like); with_columns(n=1); with_columns_seq(n=1)
    corr()
"""
ARITHMETIC = "; ".join(f"{name}(2)" for name in ("eq", "ge", "gt", "le", "lt", "ne"))
SERIES = (
    ARITHMETIC
    + """
    __contains__(1.0); __getitem__(0); __matmul__(like); bottom_k(1); cast(int)
    clip(1, 2); cut([1]); dot(like); eq_missing(like); equals(like); ewm_mean(com=1)
    extend_constant(9.0, 2); fill_nan(0); fill_null(0); filter([True, False, True])
    gather([0]); gather_every(2); head(1); hist(bin_count=2); index_of(1.0)
    is_between(1, 2); is_close(1.0); is_in([1.0]); item(0); limit(1); log(2)
    map_elements(lambda x: x + 1); ne_missing(like); new_from_index(0, 2); pow(2)
    qcut(2); quantile(0.5); replace(3.0, 9.0); replace_strict(3.0, 9.0, default=0.0)
    reshape((3, 1)); rolling_max(2); rolling_mean(2); rolling_median(2); rolling_min(2)
    rolling_quantile(0.5, window_size=2); rolling_skew(2); rolling_std(2)
    rolling_sum(2); rolling_var(2); round(1); round_sig_figs(1); sample(1)
    search_sorted(2.0); shift(1)
    slice(1); tail(1); top_k(1); zip_with(pl.Series([True, False, True]), like)
    alias('z'); rename('z')
    """
)
WHOLE = """
    __and__(1); __or__(1); __xor__(1); __invert__(); bitwise_and(); bitwise_or()
    bitwise_xor(); bitwise_count_ones(); bitwise_count_zeros(); bitwise_leading_ones()
    bitwise_leading_zeros(); bitwise_trailing_ones(); bitwise_trailing_zeros()
    reinterpret(signed=False); to_dummies()
"""
LAZY = """
    cast(float); drop('x'); fill_null(0); filter(pl.col('x') > 1); head(1)
    join(like.lazy(), 'x'); limit(1); rename({'x': 'z'}); select('x'); shift(1)
    slice(1); sort('x'); tail(1); top_k(1, by='x'); with_columns(n=1)
"""
GROUPS = "agg(pl.col('y').sum()); head(1); quantile(0.5); tail(1)"

SAMPLES = {
    "DataFrame": [
        Sample(a_frame, FRAME),
        Sample(
            ordered,
            "corr(); hash_rows(); join_asof(like, on='x'); merge_sorted(like, 'x')",
        ),
        Sample(nested, "explode('l'); unnest('s')"),
        Sample(
            timed,
            """
            group_by_dynamic('t', every='1d'); rolling('t', period='1d')
            upsample('t', every='1d')
            """,
        ),
        Sample(lambda: a_frame().drop_nulls(), "to_dummies(); transpose()"),
    ],
    "DynamicGroupBy": [
        Sample(
            timed,
            "agg(pl.col('x').sum())",
            lambda frame: frame.group_by_dynamic("t", every="1d"),
        )
    ],
    "GroupBy": [Sample(a_frame, GROUPS, lambda frame: frame.group_by("x"))],
    "LazyFrame": [Sample(a_frame, LAZY, lambda frame: frame.lazy())],
    "LazyGroupBy": [Sample(a_frame, GROUPS, lambda frame: frame.lazy().group_by("x"))],
    "RollingGroupBy": [
        Sample(
            timed,
            "agg(pl.col('x').sum())",
            lambda frame: frame.rolling("t", period="1d"),
        )
    ],
    "Series": [
        Sample(a_series, SERIES),
        Sample(whole_numbers, WHOLE),
        Sample(flags, "all(); any(); arg_true(); not_()"),
        Sample(lambda: pl.Series("x", [[1], [2, 3]]), "explode()"),
    ],
}


def state(whole: Any) -> Any:
    """
    Give the data; into how many chunks it is divided is polars' own affair.
    """
    if isinstance(whole, pl.Series):
        return whole.name, whole.dtype, whole.to_list(), whole.flags
    return whole.schema, whole.to_dict(as_series=False), whole.flags


@pytest.mark.parametrize("kind", TABLES["polars"])
def test_a_harmless_method_changes_nothing(kind: str) -> None:
    like = a_series() if kind == "Series" else ordered()
    walk("polars", kind, SAMPLES[kind], state, {"pl": pl, "like": like})
