"""
Whose turn it is at a lock, who waits, and which thread a client's is.
"""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.client.locking import locked
from tests.support.processes import kill, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.proxy import ProxyServer
    from tests.processes.conftest import Crew

DEADLINE_S = 20.0

pytestmark = pytest.mark.slow


class Number:
    value = 0


# -- whose turn it is


def queue_up(number: Any, order: Any, name: int, ready: Any, go: Any) -> None:
    number.value  # noqa: B018 - connects
    ready.put(name)
    go.get()
    with locked(number):
        order.append(name)


def test_who_came_first_gets_the_lock_first(server: ProxyServer, crew: Crew) -> None:
    order: list[int] = []
    number, shared_order = server.create_proxy(Number()), server.create_proxy(order)
    ready = crew.context.SimpleQueue()
    gates = [crew.context.SimpleQueue() for _ in range(6)]
    for name, gate in enumerate(gates):
        crew.start(queue_up, number, shared_order, name, ready, gate)
    assert sorted(ready.get() for _ in gates) == list(range(6))
    expected = [4, 2, 0, 5, 1, 3]
    with locked(number):
        for place, name in enumerate(expected):
            gates[name].put(None)
            assert wait_until(lambda: len(server.statistics().waits) == place + 1)  # noqa: B023
        (first, *_) = server.statistics().waits
        assert first.what == "locked(Number)"
        assert first.worker.startswith("ForkProcess")
        assert first.holder.startswith("the notebook")
        assert first.waited_s > 0
    crew.join()
    assert order == expected
    assert server.statistics().waits == ()
    for queue in (ready, *gates):
        queue.close()


class Crowd(Number):
    """
    Counts how often each thread has changed the value, once all have done so.
    """

    def __init__(self, threads: int) -> None:
        self.waiting = set(range(threads))
        self.turns = dict.fromkeys(self.waiting, 0)

    def count(self, thread: int) -> int:
        """
        Count a turn of a thread, and give the number of all counted turns.
        """
        # The threads before the last one that comes have turns that it cannot have.
        if self.waiting:
            self.waiting.discard(thread)
        else:
            self.turns[thread] += 1
        return sum(self.turns.values())


def take_turns(crowd: Any, threads: range, turns: int, total: Any) -> None:
    def work(thread: int) -> int:
        mine = 0
        while True:
            with locked(crowd) as c:
                c.value += 1
                mine += 1
                if c.count(thread) >= turns:
                    return mine

    with ThreadPoolExecutor(len(threads)) as pool:
        total.put(sum(pool.map(work, threads)))


def test_no_thread_of_a_crowd_is_left_out(server: ProxyServer, crew: Crew) -> None:
    target = Crowd(8 * 4)
    crowd = server.create_proxy(target)
    total = crew.context.SimpleQueue()
    for first in range(0, 8 * 4, 4):
        crew.start(take_turns, crowd, range(first, first + 4), 1600, total)
    taken = sum(total.get() for _ in range(8))
    crew.join()
    assert target.value == taken
    assert not target.waiting
    assert min(target.turns.values()) >= max(target.turns.values()) / 2
    total.close()


def test_a_generator_that_asks_for_its_own_next_item_is_told_so(
    server: ProxyServer, crew: Crew
) -> None:
    """
    As it is in Python.
    """

    def itself() -> Iterator[Any]:
        yield next(proxy)

    proxy: Any = server.create_proxy(itself())

    def ask(generator: Any, answers: Any) -> None:
        try:
            next(generator)
        except ValueError as error:
            answers.put(str(error))

    answers = crew.context.SimpleQueue()
    crew.start(ask, proxy, answers)
    crew.join()
    assert answers.get() == "generator already executing"
    answers.close()


# -- one thread to the object


class Guarded:
    """
    Keeps a lock of its thread in an attribute, and a value of each thread.
    """

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.own = threading.local()

    def begin(self) -> None:
        self.lock.acquire()

    def end(self) -> None:
        self.lock.release()

    def keep(self, value: int) -> None:
        self.own.value = value

    def kept(self) -> int:
        return int(self.own.value)


def use_lock(lock: Any, answers: Any) -> None:
    acquire, release = lock.acquire, lock.release
    for _ in range(3):
        acquire()
        lock.acquire()
        lock.release()
        release()
    answers.put("free")


@pytest.mark.parametrize(
    "make",
    [
        threading.RLock,
        threading.Condition,
        multiprocessing.RLock,
        multiprocessing.Condition,
        getattr(threading, "_RLock"),  # noqa: B009 - Python's own in Python
    ],
)
def test_a_lock_of_a_thread_is_acquired_and_released_by_methods(
    server: ProxyServer, crew: Crew, make: Any
) -> None:
    lock = make()
    answers = crew.context.SimpleQueue()
    for _ in range(2):
        crew.start(use_lock, server.create_proxy(lock), answers)
    crew.join()
    assert [answers.get(), answers.get()] == ["free", "free"]
    answers.close()
    taken = lock.acquire(False)
    assert taken
    lock.release()


def use_guarded(guarded: Any, number: int, answers: Any) -> None:
    for turn in range(50):
        guarded.begin()
        guarded.keep(number + turn)
        assert guarded.kept() == number + turn
        guarded.end()
        assert guarded.kept() == number + turn
    answers.put(number)


def test_what_wraps_them_keeps_client_threads_apart(
    server: ProxyServer, crew: Crew
) -> None:
    proxy = server.create_proxy(Guarded(threading.RLock()))
    answers = crew.context.SimpleQueue()
    for number in (1000, 2000, 3000):
        crew.start(use_guarded, proxy, number, answers)
    crew.join()
    assert sorted(answers.get() for _ in range(3)) == [1000, 2000, 3000]
    answers.close()


def hold_and_stay(lock: Any, holding: Any) -> None:
    lock.acquire()
    holding.put(None)
    threading.Event().wait()


@pytest.mark.parametrize(
    "make", [threading.Lock, threading.RLock, multiprocessing.Lock]
)
def test_a_lock_that_was_acquired_is_free_when_its_holder_is_killed(
    server: ProxyServer, crew: Crew, make: Any
) -> None:
    lock = make()
    holding = crew.context.SimpleQueue()
    worker = crew.start(hold_and_stay, server.create_proxy(lock), holding)
    holding.get()
    assert not lock.acquire(False)
    assert worker.pid is not None
    kill(worker.pid)
    assert lock.acquire(True, 5)
    lock.release()
    holding.close()


def test_a_long_wait_says_for_what(server: ProxyServer, crew: Crew) -> None:
    lock = threading.Lock()
    proxy = server.create_proxy(lock, name="gate")
    holding = crew.context.SimpleQueue()
    crew.start(hold_and_stay, proxy, holding)
    holding.get()
    crew.start(hold_and_stay, proxy, holding)
    assert wait_until(lambda: bool(server.statistics().waits))
    (wait,) = server.statistics().waits
    assert wait.what == "gate.acquire()"
    assert wait.worker != wait.holder
    assert wait.worker.startswith("ForkProcess")
    assert wait.holder.startswith("ForkProcess")
    assert wait.waited_s >= 1
    holding.close()
