"""
`fetch` in a task on another host than the kernel's.
"""

from __future__ import annotations

import os
import pickle
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter import fetch
from duck_jupyter.engines.arrivals import copies, drop
from duck_jupyter.engines.kernel import EngineKernel
from duck_jupyter.engines.live import SALT_BYTES, load_live, pickled_live
from duck_jupyter.engines.replacing import Target
from duck_jupyter.errors import AccessDenied, DataEncodeError, HandshakeError
from tests.support.fake_engine import FakeEngine
from tests.support.far import Elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.proxy import ProxyServer

SIZE = 10_000


class Far:
    """
    A kernel as workers of another host see it.
    """

    def __init__(self, server: ProxyServer) -> None:
        self.engine = FakeEngine(0)
        self.kernel = EngineKernel(server, self.engine, dict[int, Target])
        self.engine.attach(self.kernel)
        self.parts = 0
        self.lost: list[bytes] = []

    def ask(self, request: bytes) -> bytes:
        self.parts += b"part" in request[:6]
        if b"done" in request[:6] and self.lost:
            return b""
        return self.kernel.answer("w", request)

    def load(self, proxy: Any) -> Any:
        data = os.urandom(SALT_BYTES) + pickle.dumps(Elsewhere(proxy))
        return load_live(data, self.ask)


@pytest.fixture
def far(server: ProxyServer) -> Iterator[Far]:
    found = Far(server)
    yield found
    found.kernel.lost()
    drop(list(copies._things))


def test_an_object_is_brought_and_is_ones_own(server: ProxyServer, far: Far) -> None:
    array = np.ones(SIZE)
    proxy = far.load(server.create_proxy(array, name="array"))
    found = fetch(proxy)
    found[0] = 5.0
    assert found.sum() == SIZE + 4
    assert array.sum() == SIZE
    assert not fetch(proxy, writable=False).flags.writeable
    assert far.kernel.is_idle


def test_a_state_is_brought_once_and_a_new_state_again(
    server: ProxyServer, far: Far
) -> None:
    array = np.ones(SIZE)
    proxy = far.load(server.create_proxy(array, name="array"))
    assert [fetch(proxy).sum() for _ in range(3)] == [SIZE] * 3
    assert far.parts == 1
    array[0] = 3.0
    assert fetch(proxy).sum() == SIZE + 2
    assert far.parts == 2
    assert far.kernel.is_idle


def test_a_small_object_is_in_the_answer(server: ProxyServer, far: Far) -> None:
    proxy = far.load(server.create_proxy([1, 2, 3], name="numbers"))
    assert fetch(proxy) == [1, 2, 3]
    assert far.parts == 0


def test_errors_are_those_of_any_fetch(server: ProxyServer, far: Far) -> None:
    some = far.load(server.create_proxy({"a": 1}, name="some", allow={"get"}))
    with pytest.raises(AccessDenied, match="cannot be handed over as a whole"):
        fetch(some)
    lock = far.load(server.create_proxy({"lock": threading.Lock()}, name="d"))
    with pytest.raises(DataEncodeError, match="lock"):
        fetch(lock)


def test_a_worker_that_has_ended_keeps_no_version(
    server: ProxyServer, far: Far
) -> None:
    proxy = far.load(server.create_proxy(np.ones(SIZE), name="array"))
    far.lost.append(b"done")
    assert fetch(proxy).sum() == SIZE
    assert not far.kernel.is_idle
    far.kernel.left("w")
    assert far.kernel.is_idle


def test_calls_from_another_host_are_refused(server: ProxyServer, far: Far) -> None:
    proxy = far.load(server.create_proxy(np.ones(SIZE), name="array"))
    with pytest.raises(HandshakeError, match="is on another host"):
        proxy.sum()


def test_equal_proxies_are_different_arguments(server: ProxyServer) -> None:
    proxy = server.create_proxy([1], name="numbers")
    assert pickled_live(proxy) != pickled_live(proxy)
