"""
Calls that a client gave up go on in the kernel, and nobody else has to wait for them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.server import blocking_calls
from tests.processes.answers import SOON_S, Answers, is_free
from tests.support.processes import kill, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

    from duck_jupyter.proxy import ProxyServer
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow


class Late(Exception):
    """
    What the signal handlers of these tests raise.
    """


def raise_late(*_: object) -> None:
    raise Late


def in_time(job: Callable[[], object]) -> bool:
    """
    Do a job, and cut it short a little later.
    """
    signal.signal(signal.SIGALRM, raise_late)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        job()
    except Late:
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return True


class Scene:
    """
    Objects that clients wait for.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.items: queue.Queue[int] = queue.Queue()

    def work_on(self) -> None:
        self.event.wait()

    def add(self, a: int, b: int) -> int:
        return a + b


WAITS: dict[str, Callable[[Any], object]] = {
    "a queue": lambda scene: scene.items.get(),
    "an event": lambda scene: scene.event.wait(),
    "a method": lambda scene: scene.work_on(),
}
LOCKS = [
    threading.Lock,
    threading.RLock,
    threading.Condition,
    multiprocessing.Lock,
    multiprocessing.RLock,
]


def wait_inside(lock: Any, scene: Any, wait: str, answers: Any) -> None:
    with contextlib.suppress(Late), lock:
        assert not in_time(lambda: WAITS[wait](scene))
        raise Late
    answers.put("out")
    answers.put(scene.add(1, 2))
    answers.get()


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("make", LOCKS)
def test_a_block_is_left_at_once_though_a_call_in_it_was_cut_short(
    server: ProxyServer, crew: Crew, answers: Answers, make: Any, wait: str
) -> None:
    lock, scene = make(), Scene()
    proxies = server.create_proxy(lock), server.create_proxy(scene)
    crew.start(wait_inside, *proxies, wait, answers)
    assert answers.hear() == "out"
    assert answers.hear() == 3
    if wait == "a method" and make is not threading.Lock:
        scene.event.set()  # the kernel's thread that has the lock is inside of it
    assert is_free(lock)
    scene.event.set()
    answers.release()
    crew.join()


def wait_in_condition(condition: Any, numbers: Any, answers: Any) -> None:
    with contextlib.suppress(Late), condition:
        assert not in_time(condition.wait)
        raise Late
    answers.put(numbers[0])
    condition.acquire()
    assert not in_time(condition.wait)
    answers.put(numbers[1])
    condition.release()
    answers.put("released")
    answers.get()


@pytest.mark.parametrize("make", [threading.Condition, multiprocessing.Condition])
def test_a_thread_whose_wait_was_cut_short_goes_on(
    server: ProxyServer, crew: Crew, answers: Answers, make: Any
) -> None:
    condition = make()
    proxies = server.create_proxy(condition), server.create_proxy([5, 7])
    crew.start(wait_in_condition, *proxies, answers)
    assert [answers.hear() for _ in range(3)] == [5, 7, "released"]
    assert is_free(condition)
    answers.release()
    crew.join()


def hold_and_wait(lock: Any, event: Any, answers: Any) -> None:
    assert lock.acquire()
    assert not in_time(event.wait)
    answers.put("cut")
    answers.get()
    lock.release()


@pytest.mark.parametrize("make", LOCKS)
def test_who_acquired_a_lock_has_it_still_after_a_call_that_was_cut_short(
    server: ProxyServer, crew: Crew, answers: Answers, make: Any
) -> None:
    lock, event = make(), threading.Event()
    proxies = server.create_proxy(lock), server.create_proxy(event)
    crew.start(hold_and_wait, *proxies, answers)
    assert answers.hear() == "cut"
    assert not lock.acquire(False)
    answers.release()
    crew.join()
    assert is_free(lock)


def die_inside(lock: Any, items: Any, by_method: bool, answers: Any) -> None:
    answers.put("begun")
    if by_method:
        lock.acquire()
        items.get()
    with lock:
        items.get()


def kill_in_call(server: ProxyServer, worker: BaseProcess) -> None:
    """
    Kill a worker once the kernel waits for it in a call of a queue.
    """

    def waits() -> bool:
        return any(wait.what.endswith("get()") for wait in server.statistics().waits)

    assert wait_until(waits, SOON_S * 2)
    assert worker.pid is not None
    kill(worker.pid)


@pytest.mark.parametrize("by_method", [False, True])
@pytest.mark.parametrize("make", LOCKS)
def test_who_is_killed_while_it_waits_inside_holds_nothing(
    server: ProxyServer, crew: Crew, answers: Answers, make: Any, by_method: bool
) -> None:
    lock = make()
    items: queue.Queue[int] = queue.Queue()
    proxies = server.create_proxy(lock), server.create_proxy(items)
    worker = crew.start(die_inside, *proxies, by_method, answers)
    assert answers.hear() == "begun"
    kill_in_call(server, worker)
    assert is_free(lock)


QUEUES = [
    queue.Queue,
    queue.LifoQueue,
    queue.PriorityQueue,
    queue.SimpleQueue,
    multiprocessing.Queue,
    multiprocessing.JoinableQueue,
    multiprocessing.SimpleQueue,
]


def nobody_blocks() -> bool:
    """
    Tell whether no thread of the server is inside a call that may block.
    """
    frames = list(sys._current_frames().values())
    while frames:
        frame = frames.pop()
        if frame.f_code.co_filename == blocking_calls.__file__:
            return False
        if frame.f_back is not None:
            frames.append(frame.f_back)
    return True


def get_in_vain(items: Any, answers: Any) -> None:
    for _ in range(3):
        assert not in_time(items.get)
    answers.put("cut")
    answers.get()


@pytest.mark.parametrize("make", QUEUES)
def test_a_get_that_was_cut_short_takes_no_item(
    server: ProxyServer, crew: Crew, answers: Answers, make: Any
) -> None:
    items = make()
    crew.start(get_in_vain, server.create_proxy(items), answers)
    assert answers.hear() == "cut"
    for number in range(5):
        items.put(number)
    assert wait_until(nobody_blocks, SOON_S * 2)
    assert sorted(items.get() for _ in range(5)) == list(range(5))
    answers.release()
    crew.join()
    if hasattr(items, "close"):
        items.close()


def wait_for_notify(condition: Any, answers: Any) -> None:
    with condition:
        answers.put("waits")
        answers.put(condition.wait())


def test_a_notify_that_a_killed_worker_got_goes_to_another(
    server: ProxyServer, crew: Crew, answers: Answers
) -> None:
    condition = threading.Condition()
    proxy = server.create_proxy(condition)
    workers = []
    for count in (1, 2):
        workers.append(crew.start(wait_for_notify, proxy, answers))
        assert answers.hear() == "waits"
        assert wait_until(lambda: len(condition._waiters) == count, SOON_S)  # type: ignore[attr-defined]  # noqa: B023
    assert workers[0].pid is not None
    kill(workers[0].pid)
    with condition:
        condition.notify()
    assert answers.hear() is True


def set_from_handler(event: Any, lock: Any, condition: Any, answers: Any) -> None:
    def handle(*_: object) -> None:
        with lock:
            event.set()

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with condition:
        answers.put(event.wait())


def test_a_signal_handler_may_end_the_wait_that_it_came_into(
    server: ProxyServer, crew: Crew, answers: Answers
) -> None:
    lock = threading.Lock()
    targets = threading.Event(), lock, threading.Condition()
    crew.start(set_from_handler, *map(server.create_proxy, targets), answers)
    assert answers.hear() is True
    crew.join()
    assert is_free(lock)
