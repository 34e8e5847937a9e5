"""
Proxies of arrays and frames in the hands of numpy and pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.support.counting import statistics_after
from tests.support.objects import Plain

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


@pytest.mark.parametrize(
    "target",
    [
        np.arange(200_000.0).reshape(2, -1),
        np.arange(6).reshape(2, 3).T,
        np.array(["a", None], dtype=object),
        pd.Series([1.0, 2.0, 3.0]),
        pd.Index(["a", "b"]),
    ],
    ids=["large", "strided", "objects", "series", "index"],
)
def test_an_array_is_copied_in_one_round_trip(
    server: ProxyServer, worker: Worker, target: Any
) -> None:
    found = worker.eval("np.asarray(p)", p=server.create_proxy(target))

    assert found.dtype == np.asarray(target).dtype
    assert (found == np.asarray(target)).all()
    assert found.flags.writeable
    assert statistics_after(server, 1).totals.executes == 1


def test_a_copy_is_the_workers_own(server: ProxyServer, worker: Worker) -> None:
    target = np.zeros(50_000)
    worker.exec("a = np.asarray(p); a[:] = 1", p=server.create_proxy(target))

    assert target.sum() == 0


def test_an_array_of_another_type_is_made(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(np.arange(3))

    assert worker.eval("np.asarray(p, dtype='f4').dtype.name", p=proxy) == "float32"
    assert np.asarray(proxy, dtype="f4").dtype == "f4"


@pytest.mark.parametrize("target", [5, -0.5, True])
@pytest.mark.parametrize("here", [True, False], ids=["kernel", "worker"])
def test_numpy_takes_the_proxy_of_a_number_for_a_number(
    server: ProxyServer, worker: Worker, target: Any, here: bool
) -> None:
    proxy = server.create_proxy(target)
    for code in (
        *("np.arange(3) * p", "np.array([p, p])", "np.where([True, False], p, 0)"),
        *("np.full(2, p)", "np.maximum(np.arange(3), p)", "np.asarray(p)"),
    ):
        found = (
            eval(code, {"np": np, "p": proxy}) if here else worker.eval(code, p=proxy)
        )
        expected = eval(code, {"np": np, "p": target})
        assert found.dtype == expected.dtype
        assert found.tolist() == expected.tolist()


def test_numpys_functions_take_proxies(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(np.array([1.0, 2.0, 3.0]))
    code = """[
        (np.ones(3) + p).tolist(), np.dot(p, p), np.maximum(p, 2).tolist(),
        np.concatenate([p, p]).shape, np.mean(p), np.isnan(p).any(), np.sum(p),
    ]"""

    assert worker.eval(code, p=proxy) == [
        *([2.0, 3.0, 4.0], 14.0, [2.0, 2.0, 3.0], (6,), 2.0, False, 6.0),
    ]


def test_in_the_kernel_an_array_is_not_copied(server: ProxyServer) -> None:
    target = np.arange(3)
    proxy = server.create_proxy(target)

    assert np.shares_memory(np.asarray(proxy), target)
    assert not np.shares_memory(np.array(proxy), target)


def test_a_frame_does_not_turn_into_its_column_names(
    server: ProxyServer, worker: Worker
) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    code = "np.asarray(p).tolist(), (np.ones(2) + p).shape"

    assert worker.eval(code, p=server.create_proxy(frame)) == ([[1, 3], [2, 4]], (2, 2))


def test_a_frame_is_copied_by_its_own_methods(
    server: ProxyServer, worker: Worker
) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3.0, 4.0]})
    code = "pd.DataFrame(p.to_dict('list')), pd.Series(p['a'])"
    found, column = worker.eval(code, p=server.create_proxy(frame))

    pd.testing.assert_frame_equal(found, frame)
    assert column.tolist() == [1, 2]


def test_a_list_becomes_an_array(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy([1, 2, 3])

    assert worker.eval("np.asarray(p).tolist()", p=proxy) == [1, 2, 3]
    assert worker.eval("pd.DataFrame({'x': p}).x.tolist()", p=proxy) == [1, 2, 3]


def test_what_is_no_array_becomes_an_array_of_one_object(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Plain())

    assert worker.eval("np.asarray(p).shape, np.asarray(p).dtype.name", p=proxy) == (
        *((), "object"),
    )


def test_an_array_that_holds_what_cannot_be_pickled_says_so(
    server: ProxyServer, worker: Worker
) -> None:
    target = np.array([server, None], dtype=object)

    with pytest.raises(TypeError, match="cannot be pickled"):
        worker.eval("np.asarray(p)", p=server.create_proxy(target))
