"""
Versions that are the newest no more: dropped, whatever interrupts the caller.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.engines.kernel import EngineKernel
from duck_jupyter.engines.replacing import Target
from tests.interruption.steps import PACKAGE, At, Cut, Survey
from tests.support.fake_engine import FakeEngine
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duck_jupyter.engines.engine import Version
    from duck_jupyter.proxy import ProxyServer

WAIT_S = 20.0


class NotingEngine(FakeEngine):
    """
    An engine without workers that notes in which thread each version is dropped.
    """

    def __init__(self) -> None:
        super().__init__(0)
        self.threads: list[int] = []

    def reference(
        self, load: Callable[..., Any], data: bytes, version: Version | None
    ) -> Any:
        if version is not None:
            weakref.finalize(version, self.note)
        return super().reference(load, data, version)

    def note(self) -> None:
        self.threads.append(threading.get_ident())


class Published:
    """
    An array on an engine.
    """

    def __init__(self, server: ProxyServer) -> None:
        self.array = np.zeros(5000)
        proxy = server.create_proxy(self.array, name="array")
        target = Target("array", self.array, proxy._duck_idx)
        self.names = {id(self.array): target}
        self.engine = NotingEngine()
        self.kernel = EngineKernel(server, self.engine, lambda: self.names)
        self.engine.attach(self.kernel)

    def submit(self) -> None:
        """
        Refer to another state of the array than before.
        """
        self.array += 1
        with self.kernel.replaced(self.array):
            pass

    def unshare(self) -> None:
        self.names = {}
        self.kernel.settle()


@pytest.fixture
def published(server: ProxyServer) -> Iterator[Published]:
    found = Published(server)
    yield found
    found.kernel.lost()


def test_versions_are_dropped_where_no_interrupt_comes(published: Published) -> None:
    published.submit()
    published.submit()
    assert wait_until(lambda: len(published.engine.threads) == 1, WAIT_S)
    published.unshare()
    assert wait_until(lambda: len(published.engine.threads) == 2, WAIT_S)
    assert threading.get_ident() not in published.engine.threads


def interrupt() -> None:
    raise Cut


def test_an_interrupt_at_any_step_of_a_submit_leaves_no_version(
    published: Published,
) -> None:
    published.submit()
    survey = Survey(PACKAGE / "engines")
    survey.run(published.submit)
    for step in survey.steps():
        if step.signals:
            with contextlib.suppress(Cut):
                At(PACKAGE / "engines", step, interrupt).run(published.submit)
    published.unshare()
    assert wait_until(lambda: published.kernel.is_idle, WAIT_S)


def test_an_interrupt_at_any_step_of_settling_leaves_no_version(
    published: Published,
) -> None:
    names = published.names
    published.submit()
    survey = Survey(PACKAGE / "engines")
    survey.run(published.unshare)
    for step in survey.steps():
        if step.signals:
            published.names = names
            published.submit()
            with contextlib.suppress(Cut):
                At(PACKAGE / "engines", step, interrupt).run(published.unshare)
            published.kernel.settle()
            assert wait_until(lambda: published.kernel.is_idle, WAIT_S), step
