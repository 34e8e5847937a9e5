"""
fetch(proxy): the object itself, as it is now, in workers and in the kernel.
"""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import psutil
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from scipy import sparse
from sklearn.linear_model import LinearRegression

from duck_jupyter.client.fetching import fetch
from duck_jupyter.client.locking import locked
from duck_jupyter.client.references import ref
from duck_jupyter.errors import (
    AccessDenied,
    DataEncodeError,
    KernelGone,
    NotShareable,
    ProxyClosed,
    ProxyObjectNotFound,
    RemoteTraceback,
)
from duck_jupyter.proxy import ProxyServer
from tests.support.blocks import list_nameless
from tests.support.objects import Plain
from tests.support.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 5_000


def make_frame() -> pd.DataFrame:
    """
    Give a frame of several types, with an index of its own.
    """
    return pd.DataFrame(
        {
            "number": np.arange(ROWS) * 1.5,
            "count": np.arange(ROWS),
            "word": [f"word {i % 7}" for i in range(ROWS)],
            "kind": pd.Categorical(["a", "b"] * (ROWS // 2)),
        },
        index=pd.date_range("2026-01-01", periods=ROWS, freq="min", name="when"),
    )


def make_model() -> LinearRegression:
    """
    Give a fitted model with more coefficients than a handle holds.
    """
    numbers = np.random.default_rng(0).normal(size=(40, 400))
    return LinearRegression().fit(numbers, numbers.sum(axis=1))


def same_arrays(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


def same_model(found: Any, expected: Any) -> None:
    numbers = np.ones((2, 400))
    same_arrays(found.predict(numbers), expected.predict(numbers))


def same_dicts(found: Any, expected: Any) -> None:
    assert list(found) == list(expected)
    for key, value in expected.items():
        same_arrays(found[key], value)


def same(found: Any, expected: Any) -> None:
    assert found == expected


def same_sparse(found: Any, expected: Any) -> None:
    assert (found != expected).nnz == 0


MAKERS: dict[str, tuple[Callable[[], Any], Callable[[Any, Any], None]]] = {
    "array": (lambda: np.arange(20_000.0).reshape(100, -1), same_arrays),
    "small array": (lambda: np.arange(3, dtype="i2"), same_arrays),
    "columns first": (lambda: np.asfortranarray(np.ones((50, 60))), same_arrays),
    "dates": (lambda: np.arange(9_000).astype("M8[s]"), same_arrays),
    "frame": (make_frame, pd.testing.assert_frame_equal),
    "series": (lambda: make_frame()["number"], pd.testing.assert_series_equal),
    "index": (lambda: make_frame().index, pd.testing.assert_index_equal),
    "arrow": (lambda: pa.table({"a": range(ROWS), "b": ["x"] * ROWS}), same),
    "polars": (
        lambda: pl.DataFrame({"a": range(ROWS), "b": ["x"] * ROWS}),
        assert_frame_equal,
    ),
    "sparse": (lambda: sparse.eye(3_000, format="csr"), same_sparse),
    "model": (make_model, same_model),
    "dict": (lambda: {"a": np.arange(5_000), "b": np.zeros((9, 99))}, same_dicts),
    "list": (lambda: [1, "two", (3, {4})], same),
    "number": (lambda: 12, same),
    "text": (lambda: "text" * 1_000, same),
    "nothing": (lambda: None, same),
}


def eval_here(code: str, **names: Any) -> Any:
    """
    Do in the kernel what `Worker.eval` does in a worker.
    """
    return eval(code, {"fetch": fetch, **names})


@pytest.fixture(scope="module")
def other_worker() -> Iterator[Worker]:
    """
    A second process that does jobs.
    """
    process = Worker()
    yield process
    process.close()


@pytest.fixture
def array(server: ProxyServer) -> Any:
    """
    The proxy of an array of zeros that does not fit in a handle.
    """
    return server.create_proxy(np.zeros(10_000), name="array")


# -- what comes ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", MAKERS)
def test_a_worker_gets_an_equal_object_of_the_same_class(
    server: ProxyServer, worker: Worker, kind: str
) -> None:
    make, compare = MAKERS[kind]
    target = make()
    found = worker.eval("fetch(p)", p=server.create_proxy(target))
    assert type(found) is type(target)
    compare(found, target)


@pytest.mark.parametrize("kind", MAKERS)
def test_the_kernel_gets_an_object_of_its_own_too(
    server: ProxyServer, kind: str
) -> None:
    make, compare = MAKERS[kind]
    target = make()
    found = fetch(server.create_proxy(target))
    assert type(found) is type(target)
    compare(found, target)
    if isinstance(target, np.ndarray):
        found[:1] = found[-1:]
        assert not np.shares_memory(found, target)


def test_what_comes_is_the_object_as_it_is_at_that_moment(
    server: ProxyServer, worker: Worker
) -> None:
    target = np.zeros(10_000)
    proxy = server.create_proxy(target)
    sums = []
    for step in range(4):
        target[step] = 1
        sums.append(worker.eval("fetch(p).sum()", p=proxy))
    assert sums == [1, 2, 3, 4]


def test_an_object_that_was_reached_through_others_is_fetched(
    server: ProxyServer, worker: Worker
) -> None:
    cfg = Plain(paths=["a"], array=np.arange(3))
    proxy: Any = server.create_proxy(cfg)
    assert worker.eval("fetch(ref(p).paths)", p=proxy) == ["a"]
    assert fetch(ref(proxy).paths) == ["a"]
    assert worker.eval("fetch(p.array).tolist()", p=proxy) == [0, 1, 2]


def test_a_method_of_a_proxy_is_called_and_not_fetched(
    array: Any, worker: Worker
) -> None:
    with pytest.raises(
        NotShareable, match=r"not the method .*sum of .*Call the method"
    ):
        fetch(array.sum)
    with pytest.raises(NotShareable, match="Call the method"):
        worker.eval("fetch(p.sum)", p=array)


@pytest.mark.parametrize("value", [np.zeros(3), [1], None, 5, Plain()])
def test_what_is_no_proxy_is_used_as_it_is(value: Any) -> None:
    with pytest.raises(NotShareable, match=r"shared\.NAME.*Use the object as it is"):
        fetch(value)


# -- private, writable ---------------------------------------------------------------


@pytest.mark.slow
def test_nobody_sees_what_a_worker_writes(
    server: ProxyServer, worker: Worker, other_worker: Worker
) -> None:
    target = np.zeros(100_000)
    proxy = server.create_proxy(target)
    code = "a = fetch(p); a += {}; result = (a.sum(), fetch(p).sum())"
    assert worker.exec(code.format(1), p=proxy) == (100_000, 0)
    assert other_worker.exec(code.format(2), p=proxy) == (200_000, 0)
    assert target.sum() == 0


def test_the_notebook_writes_and_what_was_fetched_stays(
    server: ProxyServer, worker: Worker
) -> None:
    target = np.zeros(100_000)
    proxy = server.create_proxy(target)
    keep = "import builtins; builtins.kept = fetch(p)"
    worker.exec(keep, p=proxy)
    for step in range(1, 4):
        target += 1
        assert worker.eval("fetch(p)[7]", p=proxy) == step
    assert worker.exec("import builtins; result = builtins.kept.sum()") == 0
    worker.exec("import builtins; del builtins.kept")


@pytest.mark.parametrize("size", [3, 10_000], ids=["in the handle", "in a version"])
def test_writing_is_refused_where_it_was_given_up(
    server: ProxyServer, worker: Worker, size: int
) -> None:
    proxy = server.create_proxy({"a": np.zeros(size)})
    code = "fetch(p, writable={})['a'].flags.writeable"
    assert worker.eval(code.format(False), p=proxy) is False
    assert worker.eval(code.format(True), p=proxy) is True
    with pytest.raises(ValueError, match="read-only"):
        worker.eval("operator.iadd(fetch(p, writable=False)['a'], 1)", p=proxy)
    with pytest.raises(ValueError, match="read-only"):
        fetch(proxy, writable=False)["a"][0] = 1


# -- refused -------------------------------------------------------------------------


def test_what_cannot_be_pickled_is_named_by_its_path(
    server: ProxyServer, worker: Worker
) -> None:
    model = Plain(steps=[1, {"lock": threading.Lock()}])
    proxy = server.create_proxy(model, name="model")
    with pytest.raises(DataEncodeError, match=r"model\.steps\[1\]\['lock'\]") as caught:
        worker.eval("fetch(p)", p=proxy)
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert "duck_jupyter" in str(caught.value.__cause__)
    with pytest.raises(DataEncodeError, match=r"model\.steps\[1\]\['lock'\]"):
        fetch(proxy)
    # The connection is as good as before.
    assert worker.eval("p.steps[0]", p=proxy) == 1


def test_what_is_shared_with_a_few_names_only_is_not_fetched(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(np.zeros(9_999), name="array", allow=["sum"])
    for run in (worker.eval, eval_here):
        with pytest.raises(AccessDenied, match=r"\(sum\).*%share array"):
            run("fetch(p)", p=proxy)


def test_what_is_shared_read_only_is_fetched_as_a_copy_to_write_to(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(np.zeros(9_999), readonly=True)
    code = "a = fetch(p); a[0] = 1; result = a.sum()"
    assert worker.exec(code, p=proxy) == 1


def test_what_is_shared_no_longer_is_not_found(
    server: ProxyServer, worker: Worker, array: Any
) -> None:
    server.remove_proxy(array)
    for run in (worker.eval, eval_here):
        with pytest.raises(ProxyObjectNotFound, match="Share it again"):
            run("fetch(p)", p=array)


def test_a_closed_proxy_says_so(array: Any) -> None:
    array.close()
    with pytest.raises(ProxyClosed):
        fetch(array)


def test_a_server_that_has_ended_gives_nothing(worker: Worker) -> None:
    with ProxyServer() as server:
        proxy = server.create_proxy(np.zeros(9_999))
        worker.eval("fetch(p).sum()", p=proxy)
    with pytest.raises(KernelGone):
        worker.eval("fetch(p)", p=proxy)


# -- where ---------------------------------------------------------------------------


def test_many_threads_of_a_worker_fetch(array: Any, worker: Worker) -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    result = sum(pool.map(lambda _: fetch(p).sum() + 1, range(40)))
"""
    assert worker.exec(code, p=array) == 40


def test_who_holds_the_lock_of_an_object_fetches_it(array: Any, worker: Worker) -> None:
    code = """
with locked(p) as mine:
    mine[0] += 1
    result = fetch(mine)[0]
"""
    assert worker.exec(code, p=array) == 1
    with locked(array) as mine:
        assert fetch(mine)[0] == 1


# -- outliving -----------------------------------------------------------------------

OUTLIVE = """
import builtins
a = builtins.kept = fetch(p)
a[0] = 5
detach(p)
"""


@pytest.mark.parametrize("how", ["unshared", "rebound", "ended"])
def test_what_was_fetched_outlives_its_proxy_and_more(worker: Worker, how: str) -> None:
    target = np.ones(100_000)
    with ProxyServer() as server:
        proxy = server.create_proxy(target)
        worker.exec(OUTLIVE, p=proxy)
        if how == "unshared":
            server.remove_proxy(proxy)
        elif how == "rebound":
            server.retarget(proxy, np.zeros(100_000))
            assert worker.eval("fetch(p).sum()", p=proxy) == 0
        else:
            server.close()
        target[:] = 2
        del proxy
        gc.collect()
        code = "import builtins; result = builtins.kept.sum(); del builtins.kept"
        assert worker.exec(code) == 100_004
        assert server.publisher.store.versions().mapped == 0


THOUSAND = """
import gc, psutil
me = psutil.Process()
def take(count):
    for _ in range(count):
        assert fetch(p)[-1] == 0
    gc.collect()
    maps = sum("/dev/shm" in m.path for m in me.memory_maps(grouped=False))
    return maps, me.num_fds(), me.memory_info().rss
take(100)
before = take(1)
result = (before, take(1000))
"""


@pytest.mark.slow
def test_a_thousand_fetches_leave_nothing(server: ProxyServer, worker: Worker) -> None:
    me = psutil.Process()
    target = np.zeros(2**17)  # a megabyte
    proxy = server.create_proxy(target)
    worker.eval("fetch(p)[0]", p=proxy)
    descriptors, maps = me.num_fds(), len(list_nameless())
    before, after = worker.exec(THOUSAND, p=proxy)
    assert after[:2] == before[:2]
    assert after[2] < before[2] + 8 * 2**20
    for step in range(50):
        target[0] = step
        assert worker.eval("fetch(p)[0]", p=proxy) == step
    assert server.publisher.store.versions().kept <= 2
    assert me.num_fds() <= descriptors + 2
    assert len(list_nameless()) <= maps + 1
