"""
What one object is shared with is the buffer that its calls get.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.proxy import ProxyServer
from tests.support.objects import Tally
from tests.support.processes import wait_until
from tests.support.raw import far

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE = "x" * 1000

USES: dict[str, Callable[[Any], Any]] = {
    "arguments": lambda p: p.__setitem__(0, LARGE),
    "answers": lambda p: p.__getitem__(0),
}


def bufsize_of(proxy: Any) -> int:
    """
    Give the size of the buffer that the next call of this thread uses.
    """
    size: int = proxy._duck_link.thread.idle[-1].lane.bufsize
    return size


@pytest.mark.parametrize("use", USES)
def test_calls_get_the_buffer_that_their_object_is_shared_with(
    server: ProxyServer, use: str
) -> None:
    proxy = server.create_proxy({0: LARGE}, bufsize=4096)
    with far(proxy) as remote:
        assert len(remote) == 1
        assert bufsize_of(remote) == 200

        def is_wide() -> bool:
            USES[use](remote)
            return bufsize_of(remote) == 4096

        assert wait_until(is_wide)
        assert remote[0] == LARGE
        assert wait_until(lambda: len(server.connections()) == 1)


def test_calls_of_others_keep_the_servers_buffer(server: ProxyServer) -> None:
    server.create_proxy({0: LARGE}, bufsize=4096)
    proxy = server.create_proxy({1: LARGE})
    with far(proxy) as remote:
        for _ in range(20):
            assert remote[1] == LARGE
        assert bufsize_of(remote) == 200


def test_a_frame_above_the_larger_buffer_travels_beside_it(
    server: ProxyServer,
) -> None:
    proxy = server.create_proxy({0: LARGE}, bufsize=600)
    with far(proxy) as remote:
        assert wait_until(lambda: remote[0] == LARGE and bufsize_of(remote) == 600)
        assert [remote[0] for _ in range(20)] == [LARGE] * 20


def test_what_a_thread_holds_it_holds_when_it_changes_lanes(
    server: ProxyServer,
) -> None:
    lock = threading.Lock()
    held = server.create_proxy(lock)
    large = server.create_proxy({0: LARGE}, bufsize=4096)
    with far(held) as remote:
        rows = remote._duck_link.proxy_of(large._duck_ref)
        assert remote.acquire()
        assert wait_until(lambda: rows[0] == LARGE and bufsize_of(remote) == 4096)
        own = remote._duck_link.thread.number

        def lanes() -> list[int]:
            # Who holds something has another lane, for what it holds no longer.
            connections = server.connections()
            return [each.bufsize for each in connections if each.hello.thread == own]

        assert wait_until(lambda: lanes() == [4096])
        assert lock.locked()
        remote.release()
        assert not lock.locked()


def test_a_client_gets_no_larger_buffer_than_anything_is_shared_with(
    server: ProxyServer,
) -> None:
    proxy = server.create_proxy(Tally(), bufsize=600)
    with far(proxy) as remote:
        channel = remote._duck_link._widen(2**20)
        assert channel.lane.bufsize == 600
        channel.close()


def test_a_server_that_makes_no_larger_buffer_serves_as_before(
    server: ProxyServer,
) -> None:
    proxy = server.create_proxy({0: LARGE}, bufsize=4096)
    with far(proxy) as remote, pytest.MonkeyPatch.context() as patch:
        assert len(remote) == 1
        # From here on it turns this client away.
        patch.setattr(remote._duck_link, "secret", b"wrong")
        for _ in range(20):
            assert remote[0] == LARGE
        assert bufsize_of(remote) == 200


@pytest.mark.parametrize("bufsize", [64, 200, 4096])
def test_a_server_has_the_buffers_it_is_told(bufsize: int) -> None:
    with ProxyServer(bufsize) as server, far(server.create_proxy(Tally())) as remote:
        assert remote.add(1, 2) == 3
        assert bufsize_of(remote) == bufsize


def test_buffers_have_4096_bytes_where_nothing_is_said() -> None:
    with ProxyServer() as server:
        assert server.bufsize == 4096
