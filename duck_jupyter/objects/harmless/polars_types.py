"""
Methods of polars' frames and series that change nothing.

Methods that change their frame, such as ``insert_column``, are left out.
``in_place=True`` is refused before a method is called.
"""

from __future__ import annotations

from .groups import ARITHMETIC, Table, words

__all__ = ["TABLE"]

_FRAME = """
    __add__ __array__ __arrow_c_stream__ __contains__ __getitem__ __iter__ __mod__
    __mul__ __reversed__ __sub__ __truediv__ bottom_k cast clear clone corr count
    describe drop drop_nans drop_nulls equals estimated_size explode fill_nan fill_null
    filter fold gather_every get_column get_column_index get_columns group_by
    group_by_dynamic hash_rows head hstack interpolate is_duplicated is_empty is_unique
    item iter_columns iter_rows iter_slices join join_asof join_where lazy limit
    map_columns map_rows max max_horizontal mean mean_horizontal median merge_sorted min
    min_horizontal n_chunks n_unique null_count partition_by pipe pivot product quantile
    rechunk remove rename reverse rolling row rows rows_by_key sample select select_seq
    shift shrink_to_fit slice sort std sum sum_horizontal tail to_arrow to_dict to_dicts
    to_dummies to_init_repr to_numpy to_pandas to_series to_struct top_k transpose
    unique unnest unpivot unstack upsample var vstack with_columns with_columns_seq
    with_row_index write_csv write_json write_ndjson
"""
_SERIES = """
    abs alias all any approx_n_unique arccos arccosh arcsin arcsinh arctan arctanh
    arg_max arg_min arg_sort arg_true arg_unique bitwise_and bitwise_count_ones
    bitwise_count_zeros bitwise_leading_ones bitwise_leading_zeros bitwise_or
    bitwise_trailing_ones bitwise_trailing_zeros bitwise_xor bottom_k cast cbrt ceil
    chunk_lengths clear clip clone cos cosh cot count cum_count cum_max cum_min cum_prod
    cum_sum cut describe diff dot drop_nans drop_nulls entropy eq eq_missing equals
    estimated_size ewm_mean exp explode extend_constant fill_nan fill_null filter first
    floor gather gather_every ge get_chunks gt has_nulls has_validity hash head hist
    implode index_of interpolate is_between is_close is_duplicated is_empty is_finite
    is_first_distinct is_in is_infinite is_last_distinct is_nan is_not_nan is_not_null
    is_null is_sorted is_unique item kurtosis last le len limit log log10 log1p
    lower_bound lt map_elements max mean median min mode n_chunks n_unique nan_max
    nan_min ne ne_missing new_from_index not_ null_count pct_change peak_max peak_min
    pow product qcut quantile rank rechunk reinterpret rename replace replace_strict
    reshape reverse rle rle_id rolling_max rolling_mean rolling_median rolling_min
    rolling_quantile rolling_skew rolling_std rolling_sum rolling_var round
    round_sig_figs sample search_sorted shift shrink_dtype shrink_to_fit shuffle sign
    sin sinh skew slice sort sqrt std sum tail tan tanh to_arrow to_dummies to_frame
    to_init_repr to_list to_numpy to_pandas to_physical top_k unique unique_counts
    upper_bound value_counts var zip_with
"""

TABLE: Table = {
    "DataFrame": words(_FRAME),
    "DynamicGroupBy": words("__iter__ agg"),
    "GroupBy": words(
        """
        __iter__ agg all count first head last len max mean median min n_unique quantile
        sum tail
        """
    ),
    "LazyFrame": words(
        """
        cast clone collect collect_schema drop drop_nulls explain fill_null filter first
        head join last lazy limit max mean median min rename reverse select shift slice
        sort std sum tail top_k unique var with_columns with_row_index
        """
    ),
    "LazyGroupBy": words(
        "agg all count first last len max mean median min n_unique sum"
    ),
    "RollingGroupBy": words("__iter__ agg"),
    "Series": words(
        ARITHMETIC,
        "__array__ __arrow_c_stream__ __contains__ __getitem__ __iter__",
        _SERIES,
    ),
}
