"""
The life of a server, and what it shares.
"""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import (
    KernelGone,
    NotShareable,
    ProxyClosed,
    ProxyObjectNotFound,
)
from duck_jupyter.proxy import Proxy, ProxyServer
from tests.support.objects import Plain, Tally
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from tests.support.workers import Worker


def test_it_runs_until_it_is_closed() -> None:
    server = ProxyServer(bufsize=200)
    assert not server.running
    server.run()
    assert server.running
    server.run()
    server.close()
    assert not server.running
    server.close()


def test_as_a_context_manager_it_runs_at_once() -> None:
    with ProxyServer() as server:
        assert server.running
    assert not server.running


def test_a_server_that_never_ran_is_closed_as_well() -> None:
    ProxyServer().close()


def test_a_closed_server_does_not_run_again() -> None:
    server = ProxyServer()
    server.close()

    with pytest.raises(ProxyClosed, match="Create a new one"):
        server.run()


def test_a_server_that_does_not_run_shares_nothing() -> None:
    server = ProxyServer()
    with pytest.raises(ProxyClosed, match=r"run\(\)"):
        server.create_proxy([])
    server.close()
    with pytest.raises(ProxyClosed, match="was closed"):
        server.create_proxy([])


def test_it_serves_in_the_calling_thread_until_it_is_closed(worker: Worker) -> None:
    server = ProxyServer(bufsize=200)
    serving = threading.Thread(target=server.run, kwargs={"threaded": False})
    serving.start()
    try:
        assert wait_until(lambda: server.running)
        proxy = server.create_proxy(Tally(4))
        assert worker.eval("p.count()", p=proxy) == 5
        assert serving.is_alive()
    finally:
        server.close()
        serving.join(5)
    assert not serving.is_alive()
    assert not server.running


@pytest.mark.parametrize("bufsize", [-1, 0, 3, 63, 2**31, 200.0, "200", None, True])
def test_a_buffer_that_cannot_be_is_refused(bufsize: Any) -> None:
    with pytest.raises(NotShareable, match="bufsize"):
        ProxyServer(bufsize)


@pytest.mark.parametrize("bufsize", [3, -200, "many"])
def test_a_proxys_buffer_that_cannot_be_is_refused(
    server: ProxyServer, bufsize: Any
) -> None:
    with pytest.raises(NotShareable, match="bufsize"):
        server.create_proxy([], bufsize=bufsize)
    assert server.statistics().proxies == ()


@pytest.mark.parametrize("limit", [-1, 1.5, "7", True, 10**6])
def test_a_limit_that_cannot_be_is_refused(server: ProxyServer, limit: Any) -> None:
    with pytest.raises(NotShareable, match="max_chain"):
        ProxyServer(max_chain=limit)
    with pytest.raises(NotShareable, match="max_chain"):
        server.create_proxy([], max_chain=limit)


@pytest.mark.parametrize("bufsize", [64, 65, 100, 200, 4096, 100_000])
def test_every_buffer_that_can_be_serves_frames_of_all_sizes(
    worker: Worker, bufsize: int
) -> None:
    code = """
result = []
for n in [*range(0, 300), 4_000, 70_000, 300_000]:
    result.append(len(p.echo("x" * n)) == n and p.echo((n,)) == (n,))
"""
    with ProxyServer(bufsize=bufsize) as server:
        found = worker.exec(code, p=server.create_proxy(Tally()))

    assert all(found)


def test_the_same_object_gives_an_equal_proxy(server: ProxyServer) -> None:
    target = Plain()
    first, second = server.create_proxy(target), server.create_proxy(target)

    assert first == second
    assert hash(first) == hash(second)
    assert first._duck_idx == second._duck_idx
    assert len(server.statistics().proxies) == 1


def test_objects_that_are_equal_are_not_the_same(
    server: ProxyServer, worker: Worker
) -> None:
    names = {"p": server.create_proxy([1]), "q": server.create_proxy([1])}
    worker.exec("p.append(2)", **names)

    assert worker.eval("list(p), list(q)", **names) == ([1, 2], [1])


def test_none_and_other_plain_values_can_be_shared(
    server: ProxyServer, worker: Worker
) -> None:
    names = {
        "none": server.create_proxy(None),
        "text": server.create_proxy("text"),
        "number": server.create_proxy(5),
    }
    code = "bool(none), text.upper(), number + 1, none == None"

    assert worker.eval(code, **names) == (False, "TEXT", 6, True)


def test_an_unshared_object_is_let_go(server: ProxyServer) -> None:
    went = threading.Event()

    class Going:
        def __del__(self) -> None:
            went.set()

    proxy = server.create_proxy(Going())
    gc.collect()
    assert not went.is_set()
    server.remove_proxy(proxy)

    assert went.wait(5)
    with pytest.raises(ProxyObjectNotFound):
        _ = proxy.name


def test_sharing_copies_nothing(server: ProxyServer) -> None:
    class Unwilling:
        def __copy__(self) -> None:
            raise RuntimeError

        def __reduce__(self) -> str:
            raise RuntimeError

        def __sizeof__(self) -> int:
            raise RuntimeError

    assert repr(server.create_proxy(Unwilling())) == "<proxy>-1 Unwilling"


def test_a_proxy_of_a_closed_server_says_that_it_is_gone(worker: Worker) -> None:
    with ProxyServer() as server:
        proxy = server.create_proxy(Tally())
        again = worker.run(keep, proxy)
    assert again == 0

    with pytest.raises(KernelGone):
        worker.run(use_kept)


kept: list[Proxy] = []


def keep(proxy: Proxy) -> int:
    """
    Keep a proxy in the worker, and use it.
    """
    kept.append(proxy)
    return int(proxy.value)


def use_kept() -> Any:
    """
    Use the proxy that was kept.
    """
    return kept.pop().value


def test_two_servers_in_one_process_know_their_own(worker: Worker) -> None:
    with ProxyServer() as one, ProxyServer() as other:
        names = {"p": one.create_proxy([1]), "q": other.create_proxy([2])}

        assert worker.eval("p + [0], q + [0]", **names) == ([1, 0], [2, 0])
        worker.exec("p.append(q)", **names)
        assert names["p"][1] == names["q"]
        assert worker.eval("list(p[1])", **names) == [2]


def test_server_and_parts_say_what_they_are(server: ProxyServer) -> None:
    proxy = server.create_proxy(Tally(), name="tally")

    assert repr(proxy) == "<proxy>-1 Tally"
    assert repr(proxy.count) == "<callable>-count of <proxy>-1 Tally"
    assert "tally" in repr(server.table.get(1))
    assert "here" in repr(server.link)
    assert repr(server) == "<ProxyServer running, 1 object, 0 workers>"
    server.close()
    assert repr(server) == "<ProxyServer closed>"
    assert repr(ProxyServer()) == "<ProxyServer not running>"
