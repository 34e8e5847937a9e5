"""
What a timeout means to calls that may block, which the server makes in its own way.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


@pytest.mark.parametrize(
    "kind", [queue.Queue, queue.LifoQueue, queue.PriorityQueue, queue.SimpleQueue]
)
def test_a_negative_timeout_of_a_queue_is_its_error(
    kind: Any, server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(kind())
    with pytest.raises(ValueError, match="must be a non-negative number"):
        worker.eval("p.get(timeout=-1)", p=proxy)


def test_a_negative_timeout_of_a_full_queue_is_its_error(
    server: ProxyServer, worker: Worker
) -> None:
    full: queue.Queue[int] = queue.Queue(1)
    full.put(1)
    proxy = server.create_proxy(full)
    with pytest.raises(ValueError, match="must be a non-negative number"):
        worker.eval("p.put(2, timeout=-1)", p=proxy)


def test_a_negative_timeout_of_a_semaphore_is_over_at_once(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(threading.Semaphore(0))
    assert worker.eval("p.acquire(timeout=-1)", p=proxy) is False


@pytest.mark.parametrize("kind", [threading.Lock, threading.RLock, threading.Condition])
def test_a_lock_takes_minus_one_for_no_timeout(
    kind: Any, server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(kind())
    taken = worker.eval("(p.acquire(timeout=-1), p.release())", p=proxy)
    assert taken == (True, None)


@pytest.mark.parametrize("kind", [threading.Lock, threading.RLock, queue.SimpleQueue])
def test_a_timeout_of_ages_is_the_error_that_it_is_of_the_object(
    kind: Any, server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(kind())
    method = "get" if kind is queue.SimpleQueue else "acquire"
    with pytest.raises(OverflowError):
        worker.eval(f"p.{method}(timeout=1e100)", p=proxy)
