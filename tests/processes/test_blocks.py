"""
``with`` blocks of workers and of the kernel: what is left, by whom, and when.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter import ref
from duck_jupyter.client.locking import locked
from tests.processes.answers import SOON_S, Answers, is_free
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow


class Late(Exception):
    """
    What the signal handlers of these tests raise.
    """


def stay_inside(lock: Any, answers: Any) -> None:
    with lock:
        answers.put("inside")
        answers.get()
    answers.put("out")


def test_a_block_leaves_the_object_that_it_entered(
    server: ProxyServer, crew: Crew, answers: Answers
) -> None:
    """
    The name may stand for another one by then, as after a cell that ran once more.
    """
    first, second = threading.Lock(), threading.Lock()
    proxy = server.create_proxy(first)
    crew.start(stay_inside, proxy, answers)
    assert answers.hear() == "inside"
    server.table.get(proxy._duck_ref.idx).target = second
    answers.release()
    assert answers.hear() == "out"
    crew.join()
    assert is_free(first)
    assert is_free(second)


def acquire_only(lock: Any, answers: Any) -> None:
    lock.acquire()
    answers.put("acquired")
    answers.get()


def test_the_end_of_who_acquired_a_lock_takes_it_from_nobody_else(
    server: ProxyServer, crew: Crew, answers: Answers
) -> None:
    lock = threading.Lock()
    proxy = server.create_proxy(lock)
    worker = crew.start(acquire_only, proxy, answers)
    assert answers.hear() == "acquired"
    lock.release()
    others = Answers(crew)
    crew.start(stay_inside, proxy, others)
    assert others.hear() == "inside"
    answers.release()
    worker.join(SOON_S)
    assert wait_until(lambda: len(server.statistics().workers) == 1, SOON_S)
    assert lock.locked()
    others.release()
    assert others.hear() == "out"
    crew.join()


def fork_inside(first: Any, second: Any, answers: Any) -> None:
    def hold() -> Any:
        with locked(first):
            yield

    held = hold()
    next(held)
    if not os.fork():
        with locked(second):
            del held
            gc.collect()
            answers.put("closed")
            answers.get()
        os._exit(0)
    answers.get()


def test_a_child_that_drops_an_inherited_block_keeps_its_own(
    server: ProxyServer, crew: Crew, answers: Answers
) -> None:
    targets = [1], [2]
    first, second = map(server.create_proxy, targets)
    crew.start(fork_inside, first, second, answers)
    assert answers.hear() == "closed"
    assert len(server.locks._locks) == 2
    answers.release()
    answers.release()
    crew.join()
    assert wait_until(lambda: not server.locks._locks, SOON_S)


def leave_under_alarm(lock: Any) -> tuple[int, bool]:
    """
    Enter and leave in the server's own process, and say how often it was cut short.
    """
    late = 0
    armed = [False]

    def handle(*_: object) -> None:
        if armed[0]:
            armed[0] = False
            raise Late

    before = signal.signal(signal.SIGALRM, handle)
    # Its callbacks would take some of the exceptions, and drop them.
    gc.disable()
    try:
        for turn in range(4000):
            try:
                armed[0] = True
                signal.setitimer(signal.ITIMER_REAL, 1e-6 + turn % 40 * 1e-6)
                with lock:
                    pass
                armed[0] = False
            except Late:
                late += 1
            armed[0] = False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()
    return late, lock.acquire(timeout=SOON_S)


def test_a_block_in_the_kernel_itself_leaves_nothing_held(server: ProxyServer) -> None:
    late, acquired = leave_under_alarm(server.create_proxy(threading.Lock()))
    assert late > 50
    assert acquired


def use_ref(view: Any, answers: Any) -> None:
    answers.put(list(view["a"]))
    answers.put(view)


def test_a_ref_goes_to_workers_and_comes_back(
    server: ProxyServer, crew: Crew, answers: Answers
) -> None:
    view = ref(server.create_proxy({"a": [1, 2]}))
    assert repr(pickle.loads(pickle.dumps(view))) == repr(view)
    crew.start(use_ref, view, answers)
    assert answers.hear() == [1, 2]
    assert list(answers.hear()["a"]) == [1, 2]
    crew.join()
