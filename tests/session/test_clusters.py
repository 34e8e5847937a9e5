"""
The engines of shared names, where a call is interrupted.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.session.clusters import Clusters
from duck_jupyter.session.names import Terms
from tests.support.fake_engine import FakeEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.proxy import ProxyServer


class Interrupted:
    """
    A lock at which a KeyboardInterrupt comes as soon as it is armed.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.is_armed = False

    def __enter__(self) -> None:
        if self.is_armed:
            self.is_armed = False
            raise KeyboardInterrupt
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


class LateEngine(FakeEngine):
    """
    An engine whose first `detach` is interrupted at its end.
    """

    def __init__(self) -> None:
        super().__init__(0)
        self.is_interrupted = False

    def detach(self) -> None:
        """
        Stop, or be interrupted before.
        """
        if not self.is_interrupted:
            self.is_interrupted = True
            raise KeyboardInterrupt
        super().detach()


def test_an_engine_whose_end_is_interrupted_is_ended_next_time(
    server: ProxyServer,
) -> None:
    clusters, engine = Clusters(lambda: ()), LateEngine()
    try:
        with (
            pytest.raises(KeyboardInterrupt),
            clusters.joining(server, Terms(on=engine)),
        ):
            assert engine.kernel is not None
        assert engine.kernel is not None
        clusters.settle()
        assert engine.kernel is None
    finally:
        engine.close()


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    engine = FakeEngine(0)
    yield engine
    engine.close()


def test_a_share_that_is_interrupted_at_its_end_does_not_keep_the_engine(
    server: ProxyServer, engine: FakeEngine
) -> None:
    clusters = Clusters(lambda: ())
    lock: Any = Interrupted()
    clusters._lock = lock
    joining = clusters.joining(server, Terms(on=engine))
    joining.__enter__()
    lock.is_armed = True
    with pytest.raises(KeyboardInterrupt):
        joining.__exit__(None, None, None)
    del joining
    assert engine.kernel is not None
    clusters.settle()
    assert engine.kernel is None
