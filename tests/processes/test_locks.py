"""
Locks across workers: each belongs to one client thread, and ends with it.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.client.locking import locked
from duck_jupyter.errors import ProxyTimeout
from tests.support.processes import kill, wait_until
from tests.support.raw import far

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow

LOCKS = [threading.Lock, threading.RLock, threading.Condition, threading.Semaphore]


class Number:
    value = 0


def add_in_pieces(lock: Any, number: Any) -> None:
    for _ in range(25):
        with lock:
            number.value = number.value + 1


@pytest.mark.parametrize("make", LOCKS)
def test_a_lock_keeps_workers_apart(server: ProxyServer, crew: Crew, make: Any) -> None:
    number = Number()
    lock, proxy = server.create_proxy(make()), server.create_proxy(number)
    for _ in range(4):
        crew.start(add_in_pieces, lock, proxy)
    crew.join()
    assert number.value == 100


def stay_inside(lock: Any, entered: Any) -> None:
    with lock:
        entered.set()
        threading.Event().wait()


@pytest.mark.parametrize("make", LOCKS)
def test_a_lock_is_released_when_its_holder_is_killed(
    server: ProxyServer, crew: Crew, make: Any
) -> None:
    target = make()
    lock = server.create_proxy(target)
    entered = crew.context.Event()
    holder = crew.start(stay_inside, lock, entered)
    assert entered.wait(10)
    assert not target.acquire(False)
    assert holder.pid is not None
    kill(holder.pid)
    if make is threading.Condition:
        assert wait_until(lambda: target.acquire(False), 1.0)
    else:
        assert target.acquire(timeout=1.0)
    target.release()


def acquire_twice(lock: Any, done: Any) -> None:
    assert lock.acquire()
    assert lock.acquire(blocking=False)
    lock.release()
    lock.release()
    with lock, lock:
        pass
    with pytest.raises(RuntimeError, match="acquired"):
        lock.release()
    done.set()


def test_an_rlock_belongs_to_the_client_thread(server: ProxyServer, crew: Crew) -> None:
    lock = threading.RLock()
    proxy = server.create_proxy(lock)
    done = crew.context.Event()
    crew.start(acquire_twice, proxy, done)
    crew.join()
    assert done.is_set()
    assert lock.acquire(timeout=1)
    lock.release()


def wait_for_goods(condition: Any, goods: Any, answers: Any) -> None:
    with condition:
        while not goods:
            assert condition.wait(10)
        answers.put(goods.pop())


def bring_goods(condition: Any, goods: Any) -> None:
    with condition:
        goods.extend([1, 2, 3])
        condition.notify_all()


def test_a_condition_wakes_workers_that_wait_for_it(
    server: ProxyServer, crew: Crew
) -> None:
    shelf: list[int] = []
    condition, goods = (
        server.create_proxy(threading.Condition()),
        server.create_proxy(shelf),
    )
    answers = crew.context.SimpleQueue()
    for _ in range(3):
        crew.start(wait_for_goods, condition, goods, answers)
    crew.start(bring_goods, condition, goods)
    crew.join()
    assert sorted(answers.get() for _ in range(3)) == [1, 2, 3]
    answers.close()


def add_locked(number: Any) -> None:
    for _ in range(50):
        with locked(number) as mine:
            mine.value += 1


def test_locked_makes_read_modify_write_exact(server: ProxyServer, crew: Crew) -> None:
    number = Number()
    proxy = server.create_proxy(number)
    for _ in range(4):
        crew.start(add_locked, proxy)
    for _ in range(50):
        with locked(proxy) as mine:
            mine.value += 1
    crew.join()
    assert number.value == 250


def stay_locked(number: Any, entered: Any) -> None:
    with locked(number), locked(number):
        entered.set()
        threading.Event().wait()


def test_locked_is_released_when_its_holder_is_killed(
    server: ProxyServer, crew: Crew
) -> None:
    proxy = server.create_proxy(Number())
    entered = crew.context.Event()
    holder = crew.start(stay_locked, proxy, entered)
    assert entered.wait(10)
    told = (
        rf"The lock of Number .*0\.05 s: ForkProcess-\d+ \(pid {holder.pid}\) is inside"
    )
    with pytest.raises(ProxyTimeout, match=told), locked(proxy, timeout=0.05):
        raise AssertionError("it was locked")
    assert holder.pid is not None
    kill(holder.pid)
    started = time.monotonic()
    with locked(proxy, timeout=5):
        assert time.monotonic() - started < 0.7


@pytest.mark.parametrize("timeout", [-1, -0.5, float("nan"), "5"])
def test_a_timeout_that_is_none_is_refused_though_the_lock_is_free(
    server: ProxyServer, timeout: Any
) -> None:
    proxy = server.create_proxy(Number())
    with pytest.raises(ValueError, match="timeout must be None or a number"):
        locked(proxy, timeout)
    with locked(proxy, 0):
        pass


def try_to_lock(number: Any, answers: Any) -> None:
    try:
        with locked(number, timeout=0.05):
            answers.put("locked")
    except ProxyTimeout as error:
        answers.put(str(error))
    answers.put(number.value)


def test_locked_gives_up_in_a_worker_after_its_timeout(
    server: ProxyServer, crew: Crew
) -> None:
    """
    It is told which lock that was, who holds it, and what to do.
    """
    proxy = server.create_proxy(Number(), name="n")
    answers = crew.context.SimpleQueue()
    with locked(proxy):
        crew.start(try_to_lock, proxy, answers)
        crew.join()
    text, value = answers.get(), answers.get()
    assert re.match(
        r"The lock of n did not become free within 0\.05 s: the notebook \(pid \d+, "
        r"thread MainThread\) is inside locked.* Give locked\(\) a larger timeout",
        text,
    ), text
    assert value == 0
    answers.close()


def test_a_timeout_names_what_it_can_where_the_object_was_unshared_meanwhile(
    server: ProxyServer,
) -> None:
    near = server.create_proxy(Number(), name="n")
    told: list[str] = []

    def wait_in_vain(proxy: Any) -> None:
        with pytest.raises(ProxyTimeout) as caught, locked(proxy, timeout=0.5):
            raise AssertionError("it was locked")
        told.append(str(caught.value))

    with locked(near), far(near) as proxy:
        waiting = threading.Thread(target=wait_in_vain, args=(proxy,))
        waiting.start()
        assert wait_until(lambda: len(server.statistics().waits) == 1)
        server.remove_proxy(near)
        waiting.join(10)
    (text,) = told
    assert text.startswith(f"The lock of object {near._duck_idx} did not")
    assert "another thread is, or was until just now, inside locked" in text


def wait_for_lock(number: Any, waiting: Any) -> None:
    waiting.set()
    with locked(number):
        raise AssertionError("it was killed before")


def test_a_worker_killed_while_it_waits_for_a_lock_never_gets_it(
    server: ProxyServer, crew: Crew
) -> None:
    proxy = server.create_proxy(Number())
    waiting = crew.context.Event()
    with locked(proxy):
        worker = crew.start(wait_for_lock, proxy, waiting)
        assert waiting.wait(10)
        assert wait_until(lambda: bool(server.statistics().workers))
        assert worker.pid is not None
        kill(worker.pid)
        assert wait_until(lambda: not server.statistics().workers)
    with locked(proxy, timeout=2):
        pass


def insert(database: Any, answers: Any) -> None:
    try:
        database.execute("insert into t values (1)")
    except sqlite3.ProgrammingError as error:
        answers.put(str(error))
    else:
        answers.put("no error")


@pytest.mark.parametrize("check", [True, False])
def test_sqlite_says_how_to_open_a_connection_for_workers(
    server: ProxyServer, crew: Crew, check: bool
) -> None:
    database = sqlite3.connect(":memory:", check_same_thread=check)
    database.execute("create table t (n)")
    answers = crew.context.SimpleQueue()
    crew.start(insert, server.create_proxy(database), answers)
    crew.join()
    answer = answers.get()
    rows = database.execute("select count(*) from t").fetchone()[0]
    database.close()
    answers.close()
    if check:
        assert "check_same_thread=False" in answer
        assert rows == 0
    else:
        assert (answer, rows) == ("no error", 1)
