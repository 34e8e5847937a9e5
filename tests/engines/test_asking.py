"""
Requests that workers send to a kernel by live calls.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from duck_jupyter.data.attach import attach_for_task, decoded
from duck_jupyter.engines.arrivals import PIECE_BYTES, Fetch, bring
from duck_jupyter.engines.asking import Ask
from duck_jupyter.engines.kernel import EngineKernel
from duck_jupyter.engines.loading import Spec
from duck_jupyter.engines.replacing import Target
from duck_jupyter.errors import KernelGone
from tests.support.fake_engine import FakeEngine, reference_to
from tests.support.processes import wait_until
from tests.support.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.proxy import ProxyServer

pytestmark = pytest.mark.slow

#: More than one piece of a version.
SIZE = PIECE_BYTES // 8 + 1_000


class Published:
    """
    An array that an engine without workers has a reference to.
    """

    def __init__(self, server: ProxyServer) -> None:
        self.array = np.ones(SIZE)
        self.idx = server.create_proxy(self.array, name="array")._duck_idx
        names = {id(self.array): Target("array", self.array, self.idx)}
        engine = FakeEngine(0)
        self.kernel = EngineKernel(server, engine, lambda: names)
        engine.attach(self.kernel)
        self.data: bytes = reference_to(self.kernel, self.array).data


@pytest.fixture
def published(server: ProxyServer) -> Iterator[Published]:
    found = Published(server)
    yield found
    found.kernel.lost()


def total_brought(data: bytes, ask: Ask) -> float:
    """
    Bring the version of a reference, as if this were another host.
    """
    spec = msgspec.msgpack.decode(data, type=Spec)
    array, _ = bring(spec.token, decoded(spec.handle), ask, attach_for_task)
    return float(array.sum())


def send(ask: Ask, request: bytes) -> bytes:
    return ask(request)


def test_a_version_is_brought_by_live_calls(
    worker: Worker, published: Published
) -> None:
    assert worker.run(total_brought, published.data, published.kernel.ask) == SIZE


def test_a_process_that_ends_has_left(published: Published) -> None:
    published.kernel.lost()
    assert published.kernel.is_idle
    process = Worker()
    try:
        process.run(send, published.kernel.ask, msgspec.msgpack.encode(Fetch(1)))
        assert not published.kernel.is_idle
    finally:
        process.close()
    assert wait_until(lambda: published.kernel.is_idle)


def test_a_kernel_that_shares_nothing_any_more_says_so(
    worker: Worker, server: ProxyServer
) -> None:
    with pytest.raises(KernelGone, match="shares nothing on this cluster any more"):
        worker.run(send, Ask("nobody", server.link), b"")


def test_unpickling_contacts_nobody(
    worker: Worker, server: ProxyServer, published: Published
) -> None:
    data = pickle.dumps(published.kernel.ask)
    server.close()
    assert isinstance(worker.run(pickle.loads, data), Ask)
