"""
Proxies in the hands of numpy, pandas, pyarrow and polars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

from duck_jupyter.errors import AccessDenied
from tests.support.objects import Plain

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

ROWS = 3_000


class Streaming:
    """
    A table of which only the Arrow stream is to be had.
    """

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


@pytest.fixture
def frame() -> pd.DataFrame:
    """
    A frame with words, and with an index that is no range.
    """
    return pd.DataFrame(
        {"a": np.arange(ROWS), "b": np.arange(ROWS) / 2, "c": ["x", "y"] * (ROWS // 2)},
        index=pd.Index(range(10, ROWS + 10), name="row"),
    )


@pytest.fixture
def table() -> Any:
    return pa.table({"a": range(ROWS), "b": ["word"] * ROWS})


@pytest.fixture
def polars_frame() -> pl.DataFrame:
    return pl.DataFrame({"a": range(ROWS), "b": ["word"] * ROWS})


# -- pandas ----------------------------------------------------------------------------


def test_pandas_makes_a_frame_of_a_proxy_in_a_worker(
    server: ProxyServer, worker: Worker, frame: pd.DataFrame
) -> None:
    proxy = server.create_proxy(frame)
    found = worker.eval("pd.DataFrame(p)", p=proxy)
    pd.testing.assert_frame_equal(found, pd.DataFrame(frame))
    part = worker.eval("pd.DataFrame(p, columns=['b', 'c'])", p=proxy)
    pd.testing.assert_frame_equal(part, pd.DataFrame(frame, columns=["b", "c"]))
    named = worker.eval("pd.DataFrame(data=p, index=[12, 10])", p=proxy)
    pd.testing.assert_frame_equal(named, pd.DataFrame(frame, index=[12, 10]))


def test_pandas_makes_a_frame_of_a_proxy_in_the_kernel(
    server: ProxyServer, frame: pd.DataFrame
) -> None:
    proxy = server.create_proxy(frame)
    pd.testing.assert_frame_equal(pd.DataFrame(proxy), frame)
    part = pd.DataFrame(proxy, columns=["b"])
    pd.testing.assert_frame_equal(part, frame[["b"]])


def test_a_frame_that_pandas_made_is_the_workers_own(
    server: ProxyServer, worker: Worker, frame: pd.DataFrame
) -> None:
    code = "f = pd.DataFrame(p); f['a'] = 1; f.iloc[:, 1] = 0.0; result = f.sum().a"
    assert worker.exec(code, p=server.create_proxy(frame)) == ROWS
    assert frame["a"].sum() == sum(range(ROWS))
    assert frame["b"].sum() == sum(range(ROWS)) / 2


def test_pandas_makes_a_frame_of_two_proxies_at_once(
    server: ProxyServer, worker: Worker, frame: pd.DataFrame
) -> None:
    """
    What a constructor was told of one proxy does not reach another one's.
    """
    code = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    result = [f.shape for f in pool.map(pd.DataFrame, [p, q] * 10)]
"""
    one, other = server.create_proxy(frame), server.create_proxy(frame[["a"]])
    assert worker.exec(code, p=one, q=other) == [(ROWS, 3), (ROWS, 1)] * 10


def test_a_proxy_of_a_frame_is_a_frame_for_nobody_else(
    server: ProxyServer, worker: Worker, frame: pd.DataFrame
) -> None:
    proxy: Any = server.create_proxy(frame)
    code = "pd.DataFrame(p).shape, isinstance(p, pd.DataFrame), type(p), p.__class__"
    for shape, is_frame, kind, told in (
        worker.eval(f"(lambda a, b, c, d: (a, b, str(c), str(d)))({code})", p=proxy),
        (pd.DataFrame(proxy).shape, isinstance(proxy, pd.DataFrame), *(("Proxy",) * 2)),
    ):
        assert shape == (ROWS, 3)
        assert is_frame is False
        assert "Proxy" in kind
        assert "Proxy" in told


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ([[1, 2], [3, 4]], "pd.DataFrame(p)"),
        (np.arange(6.0).reshape(2, 3), "pd.DataFrame(p)"),
        (np.arange(6.0).reshape(2, 3), "pd.DataFrame(p, columns=list('abc'))"),
        (np.arange(3), "pd.DataFrame({'x': p})"),
        (pd.Series([1.0, 2.0]), "pd.DataFrame({'x': p, 'y': 1})"),
    ],
    ids=["list", "array", "named", "column", "series"],
)
def test_pandas_takes_proxies_of_what_is_no_frame(
    server: ProxyServer, worker: Worker, target: Any, code: str
) -> None:
    expected = eval(code, {"pd": pd, "p": target})
    found = worker.eval(code, p=server.create_proxy(target))
    pd.testing.assert_frame_equal(found, expected)


def test_a_frame_of_which_few_names_are_open_is_not_handed_over(
    server: ProxyServer, worker: Worker, frame: pd.DataFrame
) -> None:
    proxy = server.create_proxy(frame, name="df", allow=["shape"])
    for code in ("pd.DataFrame(p)", "np.asarray(p)", "__import__('pyarrow').table(p)"):
        with pytest.raises(AccessDenied):
            worker.eval(code, p=proxy)


def test_what_cannot_be_pickled_in_a_frame_is_told(
    server: ProxyServer, worker: Worker
) -> None:
    frame = pd.DataFrame({"a": [server]})
    with pytest.raises(TypeError, match="cannot be pickled"):
        worker.eval("pd.DataFrame(p)", p=server.create_proxy(frame))


# -- numpy -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        np.arange(ROWS * 1.0).reshape(2, -1),
        np.asfortranarray(np.ones((40, 50))),
        np.arange(9_000)[::3],
        np.array(7),
        np.zeros((0, 3)),
        np.arange(900).astype("M8[s]"),
        pd.Series(np.arange(ROWS)),
        pd.Index(["a", "b"]),
        pd.DataFrame({"a": np.arange(ROWS), "b": 1.5}),
    ],
    ids=lambda target: f"{type(target).__name__} {getattr(target, 'shape', '')}",
)
def test_numpy_makes_the_array_that_it_makes_of_the_object(
    server: ProxyServer, worker: Worker, target: Any
) -> None:
    expected = np.asarray(target)
    proxy = server.create_proxy(target)
    for found in (worker.eval("np.asarray(p)", p=proxy), np.asarray(proxy)):
        assert type(found) is np.ndarray
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_numpy_is_given_types_and_copies_as_it_asks_for_them(
    server: ProxyServer, worker: Worker
) -> None:
    target = np.arange(9_000)
    proxy = server.create_proxy(target)
    assert worker.eval("np.asarray(p, dtype='f4').dtype.name", p=proxy) == "float32"
    assert worker.eval("np.array(p, copy=True).flags.owndata", p=proxy) is True
    code = "a = np.asarray(p); a[:] = 0; result = (a.sum(), np.asarray(p).sum())"
    assert worker.exec(code, p=proxy) == (0, target.sum())
    assert np.shares_memory(np.asarray(proxy), target)
    assert not np.shares_memory(np.array(proxy), target)


# -- Arrow -----------------------------------------------------------------------------


def test_arrow_makes_a_table_of_a_proxy(
    server: ProxyServer, worker: Worker, table: Any, frame: pd.DataFrame
) -> None:
    make = "__import__('pyarrow').table(p)"
    proxy = server.create_proxy(table)
    assert worker.eval(make, p=proxy) == table
    assert pa.table(proxy) == table
    proxy = server.create_proxy(frame)
    assert worker.eval(make, p=proxy) == pa.table(frame)
    assert pa.table(proxy) == pa.table(frame)


def test_polars_makes_a_frame_of_a_proxy(
    server: ProxyServer, worker: Worker, table: Any, polars_frame: pl.DataFrame
) -> None:
    for target in (table, polars_frame):
        proxy = server.create_proxy(target)
        found = worker.eval("__import__('polars').DataFrame(p)", p=proxy)
        assert_frame_equal(found, pl.DataFrame(target))
        assert_frame_equal(pl.DataFrame(proxy), pl.DataFrame(target))


def test_polars_makes_of_a_proxy_what_it_makes_of_any_arrow_stream(
    server: ProxyServer, worker: Worker, table: Any, polars_frame: pl.DataFrame
) -> None:
    """
    Of what is no class of pyarrow's, `from_arrow` makes a series of rows.
    """
    for target in (table, polars_frame):
        proxy = server.create_proxy(target)
        expected: Any = pl.from_arrow(Streaming(target))
        found = worker.eval("__import__('polars').from_arrow(p)", p=proxy)
        assert_series_equal(found, expected)
        made: Any = pl.from_arrow(proxy)
        assert_series_equal(made, expected)
        assert_frame_equal(found.struct.unnest(), pl.DataFrame(target))


def test_what_is_no_table_has_no_arrow_stream(
    server: ProxyServer, worker: Worker
) -> None:
    for target in ([1], Plain(), np.zeros(3)):
        proxy = server.create_proxy(target)
        assert not hasattr(proxy, "__arrow_c_stream__")
        assert worker.eval("hasattr(p, '__arrow_c_stream__')", p=proxy) is False
