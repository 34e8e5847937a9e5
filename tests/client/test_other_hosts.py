"""
Proxies on another host than their kernel's.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter import fetch
from duck_jupyter.client.other_hosts import Way, host_mark
from duck_jupyter.client.proxy import rebuild_proxy
from duck_jupyter.errors import HandshakeError, KernelGone
from tests.support.processes import run_python

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer


def elsewhere(server: ProxyServer, address: str, mark: str) -> Any:
    """
    Return a proxy as it arrives where the server's socket does not exist.
    """
    proxy = server.create_proxy({"a": 1}, name="d")
    _, (_, secret, state, block, *_) = proxy.__reduce_ex__(4)
    return rebuild_proxy(address, secret, state, block, b"", mark)


@pytest.mark.parametrize("use", [len, fetch, lambda proxy: proxy["a"], list])
def test_a_call_says_that_the_kernel_is_on_another_host(
    server: ProxyServer, use: Any
) -> None:
    proxy = elsewhere(server, "/nowhere/s", "elsewhere")
    with pytest.raises(HandshakeError, match=r"another host.*share\(obj, name, on="):
        use(proxy)


def test_a_way_shows_no_secret() -> None:
    way = Way("10.0.0.2", 7, b"secret", b"secret", b"secret")
    assert repr([way]) == "[<Way 10.0.0.2:7>]"


def test_a_kernel_of_this_host_that_is_gone_has_ended(server: ProxyServer) -> None:
    proxy = elsewhere(server, "/nowhere/t", host_mark())
    with pytest.raises(KernelGone, match="has ended"):
        len(proxy)


def test_only_a_process_with_a_cluster_marks_its_proxies(server: ProxyServer) -> None:
    code = (
        "import sys, pickle; from duck_jupyter.proxy import ProxyServer\n"
        "with ProxyServer() as server:\n"
        "    proxy = server.create_proxy([1], name='l')\n"
        "    first = pickle.dumps(proxy)\n"
        "    sys.modules['distributed'] = sys\n"
        "    print(len(pickle.dumps(proxy)) - len(first))\n"
    )
    assert 0 < int(run_python(code).stdout) < 20
    proxy = server.create_proxy([1, 2], name="l")
    assert len(pickle.loads(pickle.dumps(proxy))) == 2
