"""
Methods of pyarrow's tables and arrays that change nothing.

Arrow's data is constant, except for writes to its buffers.
"""

from __future__ import annotations

from .groups import Table, words

__all__ = ["TABLE"]

_FRAME = words(
    """
    __arrow_c_stream__ __getitem__ add_column append_column cast column drop_columns
    drop_null equals field filter get_total_buffer_size itercolumns remove_column
    rename_columns replace_schema_metadata select set_column slice sort_by take
    to_batches to_pandas to_pydict to_pylist to_string to_struct_array validate
    """
)
_COLUMN = words(
    """
    __array__ __contains__ __getitem__ __iter__ cast dictionary_encode drop_null equals
    fill_null filter get_total_buffer_size index is_nan is_null is_valid slice sort take
    to_numpy to_pandas to_pylist to_string unique validate value_counts
    """
)

TABLE: Table = {
    "Array": _COLUMN | words("diff nonzero sum tolist view"),
    "ChunkedArray": _COLUMN
    | words(
        "__arrow_c_stream__ chunk combine_chunks iterchunks length unify_dictionaries"
    ),
    "DataType": words("equals field to_pandas_dtype"),
    "Field": words(
        "equals flatten remove_metadata with_metadata with_name with_nullable with_type"
    ),
    "RecordBatch": _FRAME | words("serialize"),
    "Scalar": words("as_py cast equals validate"),
    "Schema": words(
        """
        __getitem__ __iter__ append empty_table equals field field_by_name
        get_all_field_indices get_field_index insert remove remove_metadata serialize
        set to_string with_metadata
        """
    ),
    "Table": _FRAME
    | words(
        """
        combine_chunks drop flatten group_by join join_asof to_reader unify_dictionaries
        """
    ),
    "TableGroupBy": words("aggregate"),
}
