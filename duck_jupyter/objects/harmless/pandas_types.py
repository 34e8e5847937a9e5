"""
Methods of pandas' frames, series, indexes and groups that change nothing.

``inplace=True`` is refused before a method is called.
"""

from __future__ import annotations

from .groups import ARITHMETIC, Table, words

__all__ = ["TABLE"]

#: Methods of frames and series.
_FRAME = """
    __array__ __arrow_c_stream__ __contains__ __getitem__ __iter__ abs add add_prefix
    add_suffix agg aggregate align all any apply asfreq asof astype at_time between_time
    bfill clip combine combine_first compare convert_dtypes copy corr count cov cummax
    cummin cumprod cumsum describe diff div divide dot drop drop_duplicates droplevel
    dropna duplicated eq equals ewm expanding explode ffill fillna filter
    first_valid_index floordiv ge get groupby gt head idxmax idxmin infer_objects info
    interpolate isin isna isnull items keys kurt kurtosis last_valid_index le lt map
    mask max mean median memory_usage min mod mode mul multiply ne nlargest notna
    notnull nsmallest nunique pct_change pipe pow prod product quantile radd rank rdiv
    reindex reindex_like rename rename_axis reorder_levels replace resample reset_index
    rfloordiv rmod rmul rolling round rpow rsub rtruediv sample sem set_axis set_flags
    shift skew sort_index sort_values squeeze std sub subtract sum swaplevel tail take
    to_csv to_dict to_json to_numpy to_period to_string to_timestamp transform transpose
    truediv truncate tz_convert tz_localize unstack value_counts var where xs
"""
_INDEX = """
    __array__ __contains__ __getitem__ __iter__ all any append argmax argmin argsort
    asof astype copy delete difference drop drop_duplicates droplevel dropna duplicated
    equals factorize fillna get_indexer get_indexer_for get_indexer_non_unique
    get_level_values get_loc get_slice_bound groupby identical infer_objects insert
    intersection isin isna isnull item join map max memory_usage min notna notnull
    nunique putmask reindex rename repeat round searchsorted set_names shift
    slice_indexer slice_locs sort_values symmetric_difference take to_flat_index
    to_frame to_list to_numpy to_series tolist transpose union unique value_counts view
    where
"""
_GROUPS = """
    __getitem__ __iter__ agg aggregate all any apply asfreq bfill corr count cov
    cumcount cummax cummin cumprod cumsum describe diff expanding ffill fillna filter
    first get_group head idxmax idxmin interpolate kurt last max mean median min ngroup
    nlargest nsmallest nunique ohlc pct_change pipe prod quantile rank resample rolling
    sample sem shift size skew std sum tail take transform unique value_counts var
"""
_WINDOW = """
    __getitem__ __iter__ agg aggregate apply corr count cov first kurt last max mean
    median min nunique pipe quantile rank sem skew std sum var
"""
_TEXT = """
    __getitem__ capitalize casefold cat center contains count decode encode endswith
    extract extractall find findall fullmatch get get_dummies index isalnum isalpha
    isascii isdecimal isdigit islower isnumeric isspace istitle isupper join len ljust
    lower lstrip match normalize pad partition removeprefix removesuffix repeat replace
    rfind rindex rjust rpartition rsplit rstrip slice slice_replace split startswith
    strip swapcase title translate upper wrap zfill
"""
_TIMES = """
    as_unit ceil day_name floor isocalendar month_name normalize round strftime
    to_period to_pydatetime to_pytimedelta to_timestamp total_seconds tz_convert
    tz_localize
"""

TABLE: Table = {
    "BaseGroupBy": words(_GROUPS),
    "BaseWindow": words(_WINDOW),
    "CategoricalAccessor": words(
        """
        add_categories as_ordered as_unordered remove_categories
        remove_unused_categories rename_categories reorder_categories set_categories
        """
    ),
    "DataFrame": words(
        ARITHMETIC,
        _FRAME,
        """
        applymap assign corrwith eval iterrows itertuples join melt merge pivot
        pivot_table query select_dtypes set_index stack to_html to_records
        """,
    ),
    "DatetimeIndex": words(_TIMES, "indexer_at_time indexer_between_time"),
    "ExtensionArray": words(
        """
        __array__ __contains__ __getitem__ __iter__ argmax argmin argsort astype copy
        dropna duplicated equals factorize fillna insert interpolate isin isna map ravel
        repeat searchsorted shift take to_numpy tolist transpose unique view
        """
    ),
    "Index": words(ARITHMETIC, _INDEX),
    "MultiIndex": words(
        """
        get_loc_level get_locs remove_unused_levels reorder_levels set_codes set_levels
        sortlevel swaplevel truncate
        """
    ),
    "PeriodIndex": words("asfreq strftime to_timestamp"),
    "Properties": words(_TIMES),
    "Series": words(
        ARITHMETIC,
        _FRAME,
        """
        argmax argmin argsort autocorr between case_when factorize item rdivmod divmod
        repeat searchsorted to_frame to_list tolist unique
        """,
    ),
    "StringMethods": words(_TEXT),
    "TimedeltaIndex": words(_TIMES),
    # df.loc, iloc, at and iat.
    "_LocationIndexer": words("__getitem__"),
    "_ScalarAccessIndexer": words("__getitem__"),
}
