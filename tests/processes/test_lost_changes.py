"""
Workers of every start method hear of changes that would be lost, from where they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import LostChange
from tests.support.pools import BY_VALUE, POOLS, open_pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from duck_jupyter.proxy import ProxyServer

pytestmark = pytest.mark.slow


def say(change: Callable[[Any], Any], proxy: Any) -> str:
    """
    Give what a change is refused with.
    """
    try:
        change(proxy)
    except LostChange as error:
        return str(error)
    return "nothing"


def change_in_a_function(proxy: Any) -> str:
    def change(p: Any) -> None:
        p["a"].append(1)

    return say(change, proxy)


def change_in_a_lambda(proxy: Any) -> str:
    return say(lambda p: p["a"].append(1), proxy)


def change_in_a_comprehension(proxy: Any) -> str:
    return say(lambda p: [p["a"].append(1) for _ in range(3)], proxy)


def change_in_a_generator(proxy: Any) -> str:
    return say(lambda p: list(p["a"].append(1) for _ in range(3)), proxy)  # noqa: C400


def change_in_a_method(proxy: Any) -> str:
    class Worker:
        def change(self, p: Any) -> None:
            p["a"].append(1)

    return say(Worker().change, proxy)


JOBS = [
    change_in_a_function,
    change_in_a_lambda,
    change_in_a_comprehension,
    change_in_a_generator,
    change_in_a_method,
]


@pytest.mark.parametrize("kind", [kind for kind in POOLS if kind not in BY_VALUE])
def test_a_worker_of_a_pool_hears_of_it(server: ProxyServer, kind: str) -> None:
    target: dict[str, list[int]] = {"a": []}
    proxy = server.create_proxy(target)
    with open_pool(kind) as run:
        for job in JOBS:
            (said,) = run(job, [proxy])
            assert said.startswith('`p["a"].append(1)` would change a copy'), job
            assert 'Write `ref(p)["a"].append(1)`' in said

    assert target == {"a": []}
