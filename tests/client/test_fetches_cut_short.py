"""
A fetch that was cut short before its memory was mapped keeps nothing in the kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from duck_jupyter.client.fetching import fetch
from tests.support.processes import wait_until
from tests.support.raw import far

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer


def cut_fetch(proxy: Any) -> bytes:
    """
    Leave a client where an interrupt leaves it that comes between answer and memory.
    """
    handle: bytes = proxy._duck_link.desk("fetch", proxy._duck_idx)
    return handle


def test_it_is_given_up_when_its_thread_asks_for_anything(server: ProxyServer) -> None:
    array = np.zeros(5000)
    own = server.create_proxy(array)
    with far(own) as proxy:
        cut_fetch(proxy)
        array += 1
        assert (fetch(proxy) == 1).all()
        assert server.publisher.store.versions().awaited == 0
        cut_fetch(proxy)
        assert len(proxy) == 5000
        array += 1
        assert (fetch(proxy) == 2).all()
        assert server.publisher.store.versions().awaited == 0


def test_it_is_given_up_when_its_lane_closes(server: ProxyServer) -> None:
    array = np.zeros(5000)
    own = server.create_proxy(array)
    with far(own) as proxy:
        cut_fetch(proxy)
    assert wait_until(lambda: not server.statistics().workers)
    with far(own) as proxy:
        array += 1
        assert (fetch(proxy) == 1).all()
        found = server.publisher.store.versions()
        assert (found.kept, found.awaited) == (1, 0)


def test_a_call_between_the_answer_and_the_memory_does_no_harm(
    server: ProxyServer,
) -> None:
    """
    The kernel takes such a call, of a signal handler, for the end of the fetch.
    """
    array = np.zeros(5000)
    with far(server.create_proxy(array)) as proxy:
        link = proxy._duck_link
        desk = link.desk
        calls: list[int] = []

        def desk_and_more(word: str, *args: Any, **kwargs: Any) -> Any:
            answer = desk(word, *args, **kwargs)
            if word == "fetch" and not calls:
                calls.append(len(proxy))
                array[:] += 1
                fetch(proxy)  # in memory of its own, or in that of the first answer
            return answer

        link.desk = desk_and_more
        assert (fetch(proxy) == 1).all()
        assert calls == [5000]
