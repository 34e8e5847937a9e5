"""
Any number of processes and threads on one proxy: each gets its own answers, at once.
"""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow

#: Far less than what a lost bell costs here, and more than a busy machine does.
AT_ONCE_S = 10.0


class Desk:
    def __init__(self) -> None:
        self.gate = threading.Event()
        self.inside = threading.Semaphore(0)
        self.value = 0

    def echo(self, token: Any) -> Any:
        return token

    def wait_at_the_gate(self) -> bool:
        self.inside.release()
        return self.gate.wait(20)


def hammer(desk: Any, process: int, worst: Any) -> None:
    def work(thread: int) -> float:
        longest = 0.0
        for turn in range(250):
            token = (process * 10 + thread) * 1000 + turn
            if turn % 50 == 7:
                token = [token, "x" * 500]  # type: ignore[assignment]
            started = time.monotonic()
            assert desk.echo(token) == token
            longest = max(longest, time.monotonic() - started)
        return longest

    with ThreadPoolExecutor(4) as pool:
        worst.put(max(pool.map(work, range(4))))


def test_32_threads_in_8_processes_get_their_own_answers_at_once(
    server: ProxyServer, crew: Crew
) -> None:
    proxy = server.create_proxy(Desk())
    worst = crew.context.SimpleQueue()
    for process in range(8):
        crew.start(hammer, proxy, process, worst)
    crew.join()
    assert max(worst.get() for _ in range(8)) < AT_ONCE_S
    worst.close()


def call_alone(desk: Any, worst: Any) -> None:
    longest = 0.0
    for turn in range(5000):
        started = time.monotonic()
        assert desk.echo(turn) == turn
        longest = max(longest, time.monotonic() - started)
    worst.put(longest)


@pytest.mark.parametrize("clients", [1, 2, 3])
def test_no_bell_is_lost(server: ProxyServer, crew: Crew, clients: int) -> None:
    proxy = server.create_proxy(Desk())
    worst = crew.context.SimpleQueue()
    for _ in range(clients):
        crew.start(call_alone, proxy, worst)
    crew.join()
    assert max(worst.get() for _ in range(clients)) < AT_ONCE_S
    worst.close()


def wait_inside(desk: Any) -> None:
    assert desk.wait_at_the_gate()


def test_slow_methods_delay_nobody_else(server: ProxyServer, crew: Crew) -> None:
    desk = Desk()
    proxy = server.create_proxy(desk)
    worst = crew.context.SimpleQueue()
    for _ in range(5):
        crew.start(wait_inside, proxy)
        assert desk.inside.acquire(timeout=10)
    quick = crew.start(call_alone, proxy, worst)
    quick.join(20)
    assert worst.get() < AT_ONCE_S
    desk.gate.set()
    crew.join()
    worst.close()


def enter_together(desk: Any, barrier: Any, worst: Any) -> None:
    longest = 0.0
    for turn in range(100):
        barrier.wait(20)
        started = time.monotonic()
        if turn % 4:
            assert desk.echo(turn) == turn
        else:
            desk.wait_a_little()
        longest = max(longest, time.monotonic() - started)
    worst.put(longest)


class LittleDesk(Desk):
    def wait_a_little(self) -> None:
        threading.Event().wait(0.01)


def test_workers_that_call_at_the_same_moment_do_not_wait_for_each_other(
    server: ProxyServer, crew: Crew
) -> None:
    proxy = server.create_proxy(LittleDesk())
    worst = crew.context.SimpleQueue()
    barrier = crew.context.Barrier(4)
    for _ in range(4):
        crew.start(enter_together, proxy, barrier, worst)
    crew.join()
    assert max(worst.get() for _ in range(4)) < AT_ONCE_S
    worst.close()


def take_one(items: Any, answers: Any) -> None:
    answers.put(items.get())


def put_one(items: Any, item: Any) -> None:
    items.put(item)


def test_a_blocking_get_in_one_worker_is_served_by_a_put_from_another(
    server: ProxyServer, crew: Crew
) -> None:
    items: queue.Queue[Any] = queue.Queue()
    proxy = server.create_proxy(items)
    answers = crew.context.SimpleQueue()
    getters = [crew.start(take_one, proxy, answers) for _ in range(3)]
    for number in range(3):
        crew.start(put_one, proxy, number)
    crew.join()
    assert sorted(answers.get() for _ in getters) == [0, 1, 2]
    answers.close()


def test_threads_of_the_kernel_use_proxies_beside_its_workers(
    server: ProxyServer, crew: Crew
) -> None:
    desk = Desk()
    proxy = server.create_proxy(desk)
    worst = crew.context.SimpleQueue()
    crew.start(call_alone, proxy, worst)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(proxy.echo, range(2000))) == list(range(2000))
    crew.join()
    assert worst.get() < AT_ONCE_S
    worst.close()
