"""
The text of ``p.query(...)`` and ``p.eval(...)`` means the variables of its caller.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tests.support.workers import execute

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

#: Variables that have the names of ones of the server's own frames, too.
CODES = [
    "name = 2; found = p.query('x == @name')",
    "args = [2]; found = p.query(expr='x in @args and s != \"a@args\"')",
    "payload = 2; found = p.eval('x + @payload')",
    "entry = 2; found = p.query('x == @entry')",
    "found = (lambda self: p.query('x > @self'))(1)",
    "double = lambda x: x * 2; found = p.query('x > @double(1)')",
    "found = p.query('x == @k', local_dict={'k': 2})",
    "found = p.query('x == @k', global_dict={'k': 2})",
    "mask = pd.Series([True, False, True]); found = p.query('@mask')",
    "query = p.query; k = 2; found = query('x == @k')",
    "found = p.query('x > 1')",
]


def a_frame() -> Any:
    return pd.DataFrame({"x": [3, 1, 2], "s": ["a", "b", "a"]})


def shown(code: str) -> str:
    return f"{code}\nresult = found.to_dict()"


@pytest.mark.parametrize("readonly", [False, True], ids=["open", "read-only"])
@pytest.mark.parametrize("code", CODES)
def test_a_query_means_the_variables_of_its_caller(
    server: ProxyServer, worker: Worker, code: str, readonly: bool
) -> None:
    expected = execute(shown(code), {"p": a_frame(), "pd": pd})
    proxy = server.create_proxy(a_frame(), readonly=readonly)

    assert execute(shown(code), {"p": proxy, "pd": pd}) == expected
    assert worker.exec(shown(code), p=proxy) == expected


@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_in_a_worker_a_query_in_place_means_them_too(
    server: ProxyServer, worker: Worker
) -> None:
    target = a_frame()
    code = "name = 2; p.query('x == @name', inplace=True)"
    worker.exec(code, p=server.create_proxy(target))

    assert target.x.tolist() == [2]


@pytest.mark.parametrize("name", ["name", "args", "payload", "entry", "nowhere"])
def test_what_the_caller_has_not_is_not_found_elsewhere(
    server: ProxyServer, worker: Worker, name: str
) -> None:
    proxy = server.create_proxy(a_frame())

    with pytest.raises(pd.errors.UndefinedVariableError, match=name):
        worker.exec(f"p.query('x == @{name}')", p=proxy)


def test_a_query_that_was_pickled_means_them_too(server: ProxyServer) -> None:
    query = pickle.loads(pickle.dumps(server.create_proxy(a_frame()).query))
    name = 2

    assert query("x == @name").x.tolist() == [name]
