"""
What was granted is given back: locks of whoever was interrupted or killed on the way.
"""

from __future__ import annotations

import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.client.locking import locked
from tests.processes.answers import is_free
from tests.support.processes import kill, wait_until

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow


class Late(Exception):
    """
    What the signal handlers of these tests raise.
    """


class Store:
    value = 0


def enter_under_alarm(proxy: Any, enter: Any, turns: int, answers: Any) -> None:
    """
    Enter and leave a block, many times interrupted, and say how often.
    """
    armed = [False]

    def handle(*_: object) -> None:
        if armed[0]:
            armed[0] = False
            raise Late

    signal.signal(signal.SIGALRM, handle)
    late = 0
    for turn in range(turns):
        try:
            armed[0] = True
            signal.setitimer(signal.ITIMER_REAL, 20e-6 + turn % 50 * 5e-6)
            with enter(proxy):
                pass
            armed[0] = False
        except Late:
            late += 1
        armed[0] = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    answers.put(late)
    # It goes on: what it holds is not released by its end.
    answers.get()


def same(proxy: Any) -> Any:
    return proxy


@pytest.mark.parametrize(
    ("make", "enter"),
    [
        (Store, locked),
        (threading.Lock, same),
        (threading.RLock, same),
        (threading.Condition, same),
    ],
)
def test_an_interrupted_block_leaves_no_lock_held(
    server: ProxyServer, crew: Crew, make: Any, enter: Any
) -> None:
    target = make()
    proxy = server.create_proxy(target)
    done, more = crew.context.SimpleQueue(), crew.context.SimpleQueue()

    class Both:
        put = done.put
        get = more.get

    crew.start(enter_under_alarm, proxy, enter, 1000, Both)
    assert done.get() > 50
    if enter is locked:
        with locked(proxy, timeout=5):
            pass
    else:
        assert is_free(target)
    more.put(None)
    crew.join()
    done.close()
    more.close()


def take_it(lock: Any) -> None:
    lock.acquire()


def enter_it(lock: Any) -> None:
    with lock:
        threading.Event().wait()


class Wrapping:
    """
    Gives its lock's methods as its own, as `threading.Condition` does.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.acquire = self.lock.acquire
        self.release = self.lock.release


@pytest.mark.parametrize("job", [take_it, enter_it])
@pytest.mark.parametrize(
    "make",
    [
        threading.Lock,
        threading.RLock,
        threading.Semaphore,
        threading.BoundedSemaphore,
        threading.Condition,
        Wrapping,
    ],
)
def test_a_worker_killed_while_it_waits_for_a_lock_does_not_get_it(
    server: ProxyServer, crew: Crew, make: Any, job: Any
) -> None:
    lock = make()
    if job is enter_it and make is Wrapping:
        lock = lock.lock
    lock.acquire()
    worker = crew.start(job, server.create_proxy(lock))
    assert wait_until(lambda: bool(server.statistics().workers))
    assert wait_until(lambda: bool(server.statistics().workers[0].calling))
    assert worker.pid is not None
    kill(worker.pid)
    assert wait_until(lambda: not server.statistics().workers)
    lock.release()
    assert is_free(lock)


def take_under_alarm(items: Any, taken: Any) -> None:
    """
    Take items, many times interrupted, and tell which ones arrived.
    """
    armed = [False]

    def handle(*_: object) -> None:
        if armed[0]:
            armed[0] = False
            raise Late

    signal.signal(signal.SIGALRM, handle)
    turn = 0
    while True:
        turn += 1
        got: list[int] = []
        try:
            # Often during the call, and seldom while the next one connects again.
            signal.setitimer(signal.ITIMER_REAL, 20e-6 + turn % 50 * 1e-4)
            armed[0] = True
            # Called by C code, so that what arrives is noted before anything else.
            got.extend(map(items.get, (True,)))
            armed[0] = False
        except Late:
            pass
        armed[0] = False
        for item in got:
            if item < 0:
                signal.setitimer(signal.ITIMER_REAL, 0)
                return
            taken.put(item)


#: Before Python 3.11 a signal handler runs also between the frames that give an item to
#: the user, when the server knows already that it has arrived.
MOST_LOST = 0 if sys.version_info >= (3, 11) else 3


def test_each_item_of_a_queue_arrives_once_whatever_interrupts(
    server: ProxyServer, crew: Crew
) -> None:
    items: queue.Queue[int] = queue.Queue()
    for number in [*range(300), -1, -1]:
        items.put(number)
    taken = crew.context.SimpleQueue()
    proxy = server.create_proxy(items)
    for _ in range(2):
        crew.start(take_under_alarm, proxy, taken)
    crew.join()
    assert items.empty()
    found = []
    while not taken.empty():
        found.append(taken.get())
    taken.close()
    assert len(found) == len(set(found))
    assert 300 - MOST_LOST <= len(found) <= 300
