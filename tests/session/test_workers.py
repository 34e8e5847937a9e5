"""
A session as its workers see it.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
from typing import TYPE_CHECKING

import pytest

from duck_jupyter import NotShared, share, shared, statistics
from duck_jupyter.session.names import Source, Terms
from duck_jupyter.session.shared_names import Wish
from tests.support.jobs import add, ask_shared, length, record

if TYPE_CHECKING:
    from duck_jupyter.session.session import Session

METHODS = multiprocessing.get_all_start_methods()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_pool_works_on_shared_objects(session: Session, method: str) -> None:
    counter = {"n": 0}
    results: dict[int, int] = {}
    share(counter, name="counter")
    share(results, name="results")
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        done = [pool.submit(record, shared.results, i) for i in range(10)]
        done += [pool.submit(add, shared.counter, 20) for _ in range(4)]
        for one in done:
            one.result(30)
    assert results == {i: i * i for i in range(10)}
    assert counter == {"n": 80}


def test_a_pool_of_threads_works_on_shared_objects(session: Session) -> None:
    counter = {"n": 0}
    share(counter, name="counter")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(add, shared.counter, 50) for _ in range(4)]:
            one.result(30)
    assert counter == {"n": 200}


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_in_a_worker_shared_is_empty_and_says_what_to_do(
    session: Session, method: str
) -> None:
    share([1], name="numbers")
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(repr, shared).result(30) == "<shared: nothing yet>"
        with pytest.raises(NotShared, match=r"pool.submit\(work, shared.numbers\)"):
            pool.submit(ask_shared, "numbers").result(30)
        with pytest.raises(NotShared, match="in the process that shared the objects"):
            pool.submit(statistics).result(30)
    assert list(shared) == ["numbers"]


@pytest.mark.slow
def test_a_proxy_that_a_worker_holds_follows_the_variable(session: Session) -> None:
    namespace = {"df": [1, 2, 3]}
    wish = Wish("df", namespace["df"], Source(namespace, "df"))
    (proxy,) = session.share([wish], Terms())
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(length, proxy).result(30) == 3
        namespace["df"] = [1]
        session.follow()
        assert pool.submit(length, proxy).result(30) == 1
