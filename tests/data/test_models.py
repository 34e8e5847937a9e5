"""
Fitted models, tables, and what a notebook defines: each arrives ready for use.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from duck_jupyter.data.pickling import dump, load
from tests.data import tables
from tests.data.mapped import assert_same, send
from tests.support.processes import run_python

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 200
MODELS: dict[str, Any] = {
    "forest": RandomForestClassifier(5, random_state=1),
    "regression": LogisticRegression(),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
}

DEFINE = """
import dataclasses, numpy as np, pickle, sys
from duck_jupyter.data.pickling import dump, load
@dataclasses.dataclass
class Run:
    numbers: object
    name: str = "first"
    def total(self):
        return self.numbers.sum()
dumped = dump([Run(np.arange(1000))], "runs")
state = dumped.head, list(map(bytes, dumped.buffers))
with open(sys.argv[1], "wb") as file:
    pickle.dump(state, file)
(again,) = load(*state)
assert type(again) is Run
"""
USE = """
import pickle, sys
from duck_jupyter.data.pickling import load
with open(sys.argv[1], "rb") as file:
    (run,) = load(*pickle.load(file))
print(type(run).__qualname__, run.name, run.total())
"""


@pytest.mark.parametrize("name", MODELS)
def test_a_fitted_model_predicts_the_same(name: str) -> None:
    features = np.random.default_rng(1).random((ROWS, 4))
    labels = features[:, 0] > features[:, 1]
    model = MODELS[name].fit(features, labels)
    before = dump(model, "model")
    for writable in (True, False):
        got = send(model, writable)
        assert type(got) is type(model)
        np.testing.assert_array_equal(
            got.predict_proba(features), model.predict_proba(features)
        )
    after = dump(model, "model")
    assert before.head == after.head
    assert list(map(bytes, before.buffers)) == list(map(bytes, after.buffers))


@pytest.mark.slow
def test_a_class_of_a_notebook_arrives_where_it_is_unknown(tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    for code in (DEFINE, USE):
        done = run_python(f"import sys; sys.argv.append({path!r})\n{code}")
        assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["Run", "first", "499500"]


def test_a_part_of_a_table_goes_without_the_whole() -> None:
    texts = pa.array([f"text number {number}" for number in range(50_000)])
    table = pa.table({"number": pa.array(range(50_000)), "text": texts})
    whole = sum(buffer.nbytes for buffer in dump(table, "table").buffers)
    part = table.slice(20_000, 100)
    dumped = dump(part, "part")
    assert sum(buffer.nbytes for buffer in dumped.buffers) < whole / 100
    assert load(dumped.head, dumped.buffers).equals(part)
    frame = table.to_pandas().iloc[20_000:20_100]
    assert sum(buffer.nbytes for buffer in dump(frame, "frame").buffers) < whole / 100


def test_text_in_pandas_goes_without_a_copy() -> None:
    texts = pa.chunked_array([[f"text number {n}" for n in range(10_000)]] * 2)
    for dtype in ("string[pyarrow]", pd.ArrowDtype(texts.type)):
        column = pd.Series(pd.array(texts, dtype=dtype))
        first, second = dump(column, "column"), dump(column, "column")
        places = [np.frombuffer(x, "u1").ctypes.data for x in first.buffers]
        assert places == [np.frombuffer(x, "u1").ctypes.data for x in second.buffers]
        assert_same(send(column), column)


def test_polars_frames_go_out_of_band_without_a_copy() -> None:
    frame = pl.DataFrame({"a": np.arange(10_000.0), "b": np.arange(10_000)})
    column = frame["a"].to_numpy(allow_copy=False)
    dumped = dump([frame, frame["b"]], "frames")
    assert len(dumped.head) < 1000
    assert [buffer.nbytes for buffer in dumped.buffers] == [80_000] * 3
    found = np.frombuffer(dumped.buffers[0], "u1")
    assert found.ctypes.data == column.ctypes.data


def test_polars_frames_that_arrow_cannot_say_go_as_polars_has_it() -> None:
    wide = pl.DataFrame({"a": [2**100]}, schema={"a": pl.Int128})
    assert send(wide).equals(wide)
    assert send(wide).schema == wide.schema
    unnamed = pl.DataFrame({"": [1, 2]})
    assert send(unnamed).equals(unnamed)
    assert send(unnamed).columns == [""]


def test_a_chunked_polars_frame_keeps_its_chunks() -> None:
    part = pl.DataFrame({"a": np.arange(1000.0)})
    frame = pl.concat([part, part, part], rechunk=False)
    dumped = dump(frame, "frame")
    assert [buffer.nbytes for buffer in dumped.buffers] == [8000] * 3
    assert frame.n_chunks() == load(dumped.head, dumped.buffers).n_chunks() == 3


@pytest.mark.slow
def test_polars_without_pyarrow_goes_as_polars_has_it() -> None:
    code = """
import sys
sys.modules["pyarrow"] = None
import polars as pl
from duck_jupyter.data.pickling import dump, load
frame = pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})
dumped = dump([frame, frame["b"]], "frames")
got, column = load(dumped.head, dumped.buffers)
print(got.equals(frame), column.to_list(), len(dumped.buffers))
"""
    done = run_python(code)
    assert done.stdout.split() == ["True", "['x',", "'y']", "0"], done.stderr


def test_plain_pickle_reads_a_lazy_frame_the_same() -> None:
    lazy = tables.polars().lazy().select("text")
    assert send(lazy).collect().equals(pickle.loads(pickle.dumps(lazy)).collect())
