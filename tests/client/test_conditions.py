"""
``wait_for`` of a shared condition, whose predicate is asked where it was written.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

WAIT_FOR_A_THREAD = """
import threading

def waited_for(p):
    state, seen = [], []

    def wait():
        with p:
            seen.append(p.wait_for(lambda: len(state) == 2, timeout=10))

    thread = threading.Thread(target=wait)
    thread.start()
    for number in range(2):
        with p:
            state.append(number)
            p.notify()
    thread.join(10)
    return seen

result = waited_for(p)
"""


def test_a_predicate_sees_what_its_own_process_changes(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(threading.Condition())
    assert worker.exec(WAIT_FOR_A_THREAD, p=proxy) == [True]


def test_a_predicate_that_never_holds_ends_with_the_timeout(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(threading.Condition())
    code = """
asked = []
with p:
    result = p.wait_for(lambda: asked.append(1), timeout=0.05), len(asked) >= 2
"""
    assert worker.exec(code, p=proxy) == (None, True)


def test_a_predicate_that_holds_waits_for_nothing(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(threading.Condition())
    assert worker.eval("p.wait_for(lambda: 'yes')", p=proxy) == "yes"


def test_whoever_does_not_hold_the_lock_is_told_so(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(threading.Condition())
    with pytest.raises(RuntimeError, match="un-acquired"):
        worker.eval("p.wait_for(lambda: False, timeout=10)", p=proxy)


def test_a_method_of_a_proxy_is_a_predicate(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(threading.Condition())
    numbers: queue.Queue[int] = queue.Queue()
    code = "with p:\n    result = p.wait_for(q.empty, timeout=10)"
    assert worker.exec(code, p=proxy, q=server.create_proxy(numbers)) is True


class Condition:
    """
    A class of the user's own, which has no more to do with locks than its name.
    """

    def wait_for(self, name: str) -> str:
        return f"waited for {name}"


def test_a_class_of_that_name_gets_the_call_itself(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Condition())
    assert worker.exec("result = p.wait_for('rain')", p=proxy) == "waited for rain"
