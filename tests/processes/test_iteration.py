"""
Iterating in several workers at once hands every item out exactly once.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from duck_jupyter.proxy import ProxyServer
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow

ITEMS = 300
WORKERS = 4


def numbers() -> Iterator[int]:
    yield from range(ITEMS)


def full_queue() -> Iterator[int]:
    items: queue.Queue[int | None] = queue.Queue()
    for item in range(ITEMS):
        items.put(item)
    for _ in range(WORKERS):
        items.put(None)
    return iter(items.get, None)


def take_all(items: Any, answers: Any) -> None:
    answers.put(list(items))


def collect(server: ProxyServer, crew: Crew, items: Any) -> list[list[int]]:
    proxy = server.create_proxy(items)
    answers = crew.context.Queue()
    for _ in range(WORKERS):
        crew.start(take_all, proxy, answers)
    parts = [answers.get(timeout=20) for _ in range(WORKERS)]
    crew.join()
    answers.close()
    answers.join_thread()
    return parts


@pytest.mark.parametrize(
    "make",
    [numbers, full_queue, lambda: iter(range(ITEMS)), lambda: map(int, range(ITEMS))],
    ids=["generator", "queue", "range iterator", "map"],
)
def test_every_item_of_an_iterator_goes_to_one_worker(
    server: ProxyServer, crew: Crew, make: Any
) -> None:
    parts = collect(server, crew, make())
    assert sorted(chain.from_iterable(parts)) == list(range(ITEMS))
    assert all(part == sorted(part) for part in parts)


def test_every_item_of_a_list_goes_to_every_worker(
    server: ProxyServer, crew: Crew
) -> None:
    parts = collect(server, crew, list(range(10_000)))
    assert parts == [list(range(10_000))] * WORKERS


def test_a_queue_is_emptied_while_it_is_filled(server: ProxyServer, crew: Crew) -> None:
    items: queue.Queue[int | None] = queue.Queue(maxsize=3)

    def fill() -> None:
        for item in [*range(ITEMS), *[None] * WORKERS]:
            items.put(item)

    filling = threading.Thread(target=fill)
    filling.start()
    parts = collect(server, crew, iter(items.get, None))
    filling.join()
    assert sorted(chain.from_iterable(parts)) == list(range(ITEMS))


def next_until_stopped(items: Any, answers: Any) -> None:
    found: list[Any] = []
    try:
        while True:
            found.append(next(items))
    except StopIteration as end:
        found.append(end.value)
    answers.put(found)


def broken() -> Iterator[int]:
    yield 1
    yield 2
    raise KeyError("three")


def iterate_to_the_error(items: Any, answers: Any) -> None:
    found: list[Any] = []
    try:
        found.extend(items)
    except KeyError as error:
        found.append(error.args)
    answers.put(found)


def with_value() -> Any:
    yield 1
    return "the end"


def test_an_iterator_ends_in_a_worker_as_it_does_in_the_kernel(
    server: ProxyServer, crew: Crew
) -> None:
    answers = crew.context.SimpleQueue()
    crew.start(next_until_stopped, server.create_proxy(with_value()), answers)
    crew.join()
    assert answers.get() == [1, "the end"]
    crew.start(iterate_to_the_error, server.create_proxy(broken()), answers)
    crew.join()
    found = answers.get()
    assert found[-1] == ("three",)
    answers.close()


class Service:
    async def answer(self) -> int:
        await asyncio.sleep(0)
        return 42

    async def __aenter__(self) -> Service:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __aiter__(self) -> AsyncIterator[int]:
        return self.items()

    async def items(self) -> AsyncIterator[int]:
        for item in range(3):
            await asyncio.sleep(0)
            yield item


def use_service(service: Any, answers: Any) -> None:
    async def work() -> None:
        async with service as entered:
            both = await asyncio.gather(entered.answer(), entered.answer())
            answers.put([*both, [item async for item in entered]])

    asyncio.run(work())


def test_a_worker_awaits_and_iterates_asynchronously(
    server: ProxyServer, crew: Crew
) -> None:
    answers = crew.context.SimpleQueue()
    crew.start(use_service, server.create_proxy(Service()), answers)
    crew.join()
    assert answers.get() == [42, 42, [0, 1, 2]]
    answers.close()
