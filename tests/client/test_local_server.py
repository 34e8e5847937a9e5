"""
Proxies in the server's own process go straight to their objects.
"""

from __future__ import annotations

import asyncio
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.client.proxy_method import ProxyMethod
from duck_jupyter.proxy import Proxy, ProxyError, ProxyServer
from tests.support.objects import CustomError, Plain, Tally, numbers

if TYPE_CHECKING:
    from tests.support.workers import Worker


def test_no_frames_are_needed(server: ProxyServer) -> None:
    proxy = server.create_proxy(Tally())
    for _ in range(5):
        proxy.add(1, proxy.count())
    proxy.value = 9

    found = server.statistics()
    assert (found.totals.calls, found.workers) == (0, ())


def test_what_an_attribute_holds_is_the_object_itself(server: ProxyServer) -> None:
    paths = ["a"]
    proxy = server.create_proxy(Plain(paths=paths))

    assert proxy.paths is paths


def test_a_method_is_the_proxys_so_that_it_can_travel(
    server: ProxyServer, worker: Worker
) -> None:
    target: Any = Tally(1)
    target.lock = server
    method = server.create_proxy(target).count

    assert type(method) is ProxyMethod
    assert method() == 2
    assert worker.eval("f()", f=pickle.loads(pickle.dumps(method))) == 3


def test_a_pickle_that_comes_home_is_a_proxy_that_goes_straight(
    server: ProxyServer,
) -> None:
    target = Tally()
    proxy = pickle.loads(pickle.dumps(server.create_proxy(target)))

    assert isinstance(proxy, Proxy)
    assert proxy.is_me(proxy)
    assert server.statistics().totals.calls == 0


def test_errors_are_the_objects_own(server: ProxyServer) -> None:
    with pytest.raises(CustomError) as caught:
        server.create_proxy(Tally()).fail(CustomError, "text")

    assert caught.value.__cause__ is None


def test_a_generator_is_shared_with_the_workers(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(numbers(5))

    assert next(proxy) == 0
    assert worker.eval("next(p)", p=proxy) == 1
    assert list(proxy) == [2, 3, 4]


def test_an_awaitable_is_awaited(server: ProxyServer) -> None:
    async def work() -> int:
        return 5

    proxy: Any = server.create_proxy(work())

    async def main() -> int:
        return int(await proxy)

    assert asyncio.run(main()) == 5


def test_a_worker_awaits_what_runs_in_the_kernel(
    server: ProxyServer, worker: Worker
) -> None:
    async def work() -> int:
        return 5

    code = """
import asyncio
async def main():
    return await p
result = asyncio.run(main())
"""
    assert worker.exec(code, p=server.create_proxy(work())) == 5


def test_after_the_server_has_closed_a_proxy_says_so() -> None:
    server = ProxyServer()
    server.run()
    proxy = server.create_proxy(Tally(1))
    server.close()

    with pytest.raises(ProxyError, match="closed"):
        _ = proxy.value
    with pytest.raises(ProxyError, match="closed"):
        proxy.count()
    assert repr(proxy) == "<proxy>-1 Tally (its kernel has ended)"
