"""
What a server has of the threads of a client, and when it gives that up.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.client import channel
from duck_jupyter.errors import KernelGone
from duck_jupyter.transport import rendezvous
from tests.support.objects import Tally
from tests.support.processes import wait_until
from tests.support.raw import far
from tests.support.strangers import RawStranger

if TYPE_CHECKING:
    from collections.abc import Callable

    from duck_jupyter.proxy import ProxyServer


class Named:
    """
    What each thread calls something else.
    """

    def __init__(self) -> None:
        self.local = threading.local()

    def set(self, name: str) -> None:
        self.local.name = name

    def get(self) -> str | None:
        return getattr(self.local, "name", None)


def own_threads() -> int:
    """
    Count the server's threads that stand for threads of clients.
    """
    return sum(each.name.startswith("duck-own") for each in threading.enumerate())


def run_in_thread(job: Callable[[], object]) -> None:
    thread = threading.Thread(target=job)
    thread.start()
    thread.join()


def test_a_thread_that_ended_without_a_lane_leaves_no_thread_of_the_server(
    server: ProxyServer,
) -> None:
    """
    A call that was cut short takes its lane along, which would have told of the end.
    """
    before = own_threads()
    with far(server.create_proxy(Named())) as named:
        named.set("main")

        def lose_the_lane() -> None:
            named.set("other")
            named._duck_link.detach()

        def one_is_left() -> bool:
            run_in_thread(named.get)  # who comes next
            return wait_until(lambda: own_threads() == before + 1, 1.0)

        run_in_thread(lose_the_lane)
        assert own_threads() == before + 2
        # The system may take a moment to end a thread that Python has joined.
        assert wait_until(one_is_left)
        assert named.get() == "main"
    assert wait_until(lambda: own_threads() == before)


def test_a_thread_that_lost_its_lane_is_the_same_thread_to_the_object(
    server: ProxyServer,
) -> None:
    with far(server.create_proxy(Named())) as named:
        run_in_thread(named.get)
        named.set("main")
        named._duck_link.hold()
        named._duck_link.detach()
        run_in_thread(named.get)
        assert named.get() == "main"


def connected(link: Any, server: ProxyServer) -> Any:
    """
    Give a thread a channel of which the server has not heard, and hang up on it.
    """
    made = link._connect()
    link._adopt(made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendezvous, "HANDSHAKE_S", 0.0)
        with RawStranger(server.link.address, server.link.secret):
            assert wait_until(lambda: made.lane.is_left)
    return made


def test_a_client_that_was_stopped_too_long_before_its_first_call_calls_again(
    server: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = Tally()
    with far(server.create_proxy(tally)) as proxy:
        connected(proxy._duck_link, server)
        monkeypatch.setattr(channel, "HANDSHAKE_S", 0.0)
        assert proxy.count() == 1
    assert tally.value == 1


def test_a_client_that_was_hung_up_on_early_is_told_so(server: ProxyServer) -> None:
    with far(server.create_proxy(Tally())) as proxy:
        connected(proxy._duck_link, server)
        with pytest.raises(KernelGone):
            proxy.count()
        assert proxy.count() == 1
