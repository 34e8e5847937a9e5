"""
What a process keeps of the servers that it has met.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import KernelGone, LimitedProxyChaining, NotShareable
from duck_jupyter.proxy import ProxyServer
from tests.support.objects import Chain
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from tests.support.workers import Worker

DESCRIPTORS = Path("/proc/self/fd" if Path("/proc/self/fd").is_dir() else "/dev/fd")


def count_descriptors(proxy: Any) -> int:
    """
    Use a proxy, and say how many descriptors this process has then.
    """
    assert proxy.next.depth == 1
    return descriptors()


def descriptors() -> int:
    """
    Say how many descriptors this process has.
    """
    return len(list(DESCRIPTORS.iterdir()))


def use_after_the_end(old: Any, new: Any) -> tuple[str, int]:
    """
    Use a proxy of a server that has ended, and then one of another.
    """
    try:
        assert old.depth == 0
    except KernelGone as error:
        return str(error), new.next.depth
    return "no error", 0


def test_a_worker_that_outlives_many_servers_keeps_nothing_of_them(
    worker: Worker,
) -> None:
    """
    The channels of a server that has ended are closed when the next one is met.
    """
    counts = []
    for _ in range(8):
        with ProxyServer() as server:
            counts.append(worker.run(count_descriptors, server.create_proxy(Chain())))
    # What a thread still has goes with it, a moment later.
    assert wait_until(lambda: worker.run(descriptors) <= counts[1])


def test_a_proxy_of_a_server_that_ended_says_so_beside_a_new_one(
    worker: Worker,
) -> None:
    """
    To meet a new server takes nothing from the errors of the old one's proxies.
    """
    with ProxyServer() as first:
        old = first.create_proxy(Chain())
        worker.run(count_descriptors, old)
    with ProxyServer() as second:
        new = second.create_proxy(Chain())
        text, value = worker.run(use_after_the_end, old, new)
    assert "Share the object again" in text
    assert value == 1


def test_allow_is_a_list_of_names_and_not_one_string(server: ProxyServer) -> None:
    """
    A string would be taken for its letters.
    """
    with pytest.raises(NotShareable, match="must be a list of names"):
        server.create_proxy(Chain(), allow="depth")


def test_the_advice_to_allow_longer_chains_names_the_shared_object() -> None:
    """
    What it says can be copied.
    """
    path, line = "flights.groupby().rolling()", "%share flights --max-chain 15"
    assert line in str(LimitedProxyChaining.at(7, "Rolling", path, "flights", line))
    error = LimitedProxyChaining.at(7, "Rolling", path, "flights")
    assert "%share flights --max-chain 8" in str(error)
