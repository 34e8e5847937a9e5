"""
An expression gives on a proxy, here and in a worker, what it gives on the object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .alike import in_kernel, in_worker, on_object
from .expressions import EXPRESSIONS

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


@pytest.mark.parametrize("source", EXPRESSIONS)
def test_in_a_worker_it_gives_the_same(
    server: ProxyServer, worker: Worker, source: str
) -> None:
    found = {x: in_worker(server, worker, source, x) for x in EXPRESSIONS[source]}

    assert found == {x: on_object(source, x) for x in EXPRESSIONS[source]}


@pytest.mark.parametrize("source", EXPRESSIONS)
def test_in_the_kernel_it_gives_the_same(server: ProxyServer, source: str) -> None:
    found = {x: in_kernel(server, source, x) for x in EXPRESSIONS[source]}

    assert found == {x: on_object(source, x) for x in EXPRESSIONS[source]}
