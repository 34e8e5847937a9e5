"""
Proxies in executors: those of the standard library, and loky's.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import loky
import pytest

from duck_jupyter.client.locking import locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from duck_jupyter.proxy import ProxyServer

pytestmark = pytest.mark.slow


class Counter:
    value = 0

    def part(self) -> Counter:
        return Counter()

    def pid(self) -> int:
        return os.getpid()


def add_one(counter: Any) -> int:
    with locked(counter) as mine:
        mine.value += 1
    return os.getpid()


def get_part(counter: Any) -> Any:
    return counter.part()


def read(part: Any) -> tuple[int, int]:
    return part.value, part.pid()


def ask_with_threads(counter: Any) -> list[int]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda _: counter.pid(), range(40)))


@pytest.fixture(params=["fork", "forkserver", "spawn", "threads", "loky"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    pool: Any
    if request.param == "threads":
        pool = ThreadPoolExecutor(2)
    elif request.param == "loky":
        pool = loky.get_reusable_executor(max_workers=2)
    else:
        context = multiprocessing.get_context(request.param)
        pool = ProcessPoolExecutor(2, mp_context=context)
    yield pool
    pool.shutdown(wait=True)


def test_workers_of_an_executor_change_one_object(
    server: ProxyServer, executor: Executor
) -> None:
    counter = Counter()
    list(executor.map(abs, range(4)))
    proxy = server.create_proxy(counter)
    list(executor.map(add_one, [proxy] * 20))
    assert counter.value == 20


def test_a_chained_proxy_comes_back_as_a_result_and_goes_out_again(
    server: ProxyServer, executor: Executor
) -> None:
    proxy = server.create_proxy(Counter())
    part = executor.submit(get_part, proxy).result(20)
    assert read(part) == (0, os.getpid())
    part.value = 5
    assert executor.submit(read, part).result(20) == (5, os.getpid())


def test_a_worker_shares_a_proxy_among_its_threads(
    server: ProxyServer, executor: Executor
) -> None:
    proxy = server.create_proxy(Counter())
    found = executor.submit(ask_with_threads, proxy).result(20)
    assert found == [os.getpid()] * 40


def test_a_method_of_a_proxy_is_a_job_of_its_own(
    server: ProxyServer, executor: Executor
) -> None:
    names: list[str] = []
    lock = threading.Lock()

    class Log:
        def note(self, name: str) -> None:
            with lock:
                names.append(name)

    proxy = server.create_proxy(Log())
    list(executor.map(proxy.note, ["a", "b", "c"]))
    assert sorted(names) == ["a", "b", "c"]
