"""
Tables and arrays of pyarrow.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from duck_jupyter.objects.harmless.registry import TABLES
from tests.objects.harmless.walk import Sample, walk

FRAME = """
    __getitem__('x'); add_column(0, 'n', pa.array([1, 2, 3]))
    append_column('n', pa.array([1, 2, 3])); cast(whole.schema); column('x')
    drop_columns('x'); equals(whole); field('x'); filter(pa.array([True, False, True]))
    remove_column(0); rename_columns(['a', 'b']); replace_schema_metadata({'k': 'v'})
    select(['y']); set_column(0, 'n', pa.array([1, 2, 3])); slice(1); sort_by('x')
    take(pa.array([0])); drop('x'); group_by('x'); join(whole, 'x')
    join_asof(whole.rename_columns(['x', 'z']), 'x', [], 1)
"""
COLUMN = """
    __contains__(1); __getitem__(1); cast('int64'); equals(pa.array([1])); fill_null(0)
    filter(pa.array([True, False, True])); index(1); slice(1); take(pa.array([0]))
    diff(pa.array([1])); view('int32'); chunk(0)
"""

CHUNKED = "equals(pa.chunked_array([[1]]))"


def a_table() -> Any:
    return pa.table({"x": pa.array([1, 2, 3]), "y": pa.array([1.5, None, 3.0])})


def a_batch() -> Any:
    return a_table().combine_chunks().to_batches()[0]


def an_array() -> Any:
    return pa.array([3, None, 2], pa.int32())


SAMPLES = {
    "Array": [
        Sample(an_array, COLUMN),
        Sample(lambda: pa.array([3, 1, 2]), "to_numpy(); __array__(); nonzero()"),
    ],
    "ChunkedArray": [
        Sample(
            lambda: pa.chunked_array([[3, 1], [2]], pa.int32()), COLUMN + ";" + CHUNKED
        )
    ],
    "DataType": [
        Sample(pa.int32, "to_pandas_dtype()"),
        Sample(lambda: pa.struct([("x", "int32")]), "equals(pa.int32()); field('x')"),
    ],
    "Field": [
        Sample(
            lambda: pa.field("x", pa.int32(), metadata={"k": "v"}),
            """
            equals(pa.field('x', pa.int32())); with_metadata({'m': 'n'})
            with_name('y'); with_nullable(False); with_type(pa.int64())
            """,
        )
    ],
    "RecordBatch": [Sample(a_batch, FRAME)],
    "Scalar": [Sample(lambda: pa.scalar(3), "cast('int32'); equals(pa.scalar(3))")],
    "Schema": [
        Sample(
            lambda: a_table().schema.with_metadata({"k": "v"}),
            """
            __getitem__(0); append(pa.field('z', 'int32')); equals(pa.schema([]))
            field('x'); field_by_name('x'); get_all_field_indices('x')
            get_field_index('x'); insert(0, pa.field('z', 'int32')); remove(0)
            set(0, pa.field('z', 'int32')); with_metadata({'m': 'n'})
            """,
        )
    ],
    "Table": [Sample(a_table, FRAME)],
    "TableGroupBy": [
        Sample(a_table, "aggregate([('y', 'sum')])", lambda whole: whole.group_by("x"))
    ],
}


def state(whole: Any) -> Any:
    schema = getattr(whole, "schema", None)
    metadata = getattr(whole, "metadata", None)
    return [repr(whole), repr(schema), getattr(schema, "metadata", metadata)]


@pytest.mark.parametrize("kind", TABLES["pyarrow"])
def test_a_harmless_method_changes_nothing(kind: str) -> None:
    whole = a_table() if kind == "Table" else a_batch()
    walk("pyarrow", kind, SAMPLES[kind], state, {"pa": pa, "whole": whole})
