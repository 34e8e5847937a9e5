"""
What processes wait for, as the system tells.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.pools.standstill import all_wait_for, progress_of
from tests.support.processes import wait_until

from .kernels import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

#: Processes may start slowly on a busy machine.
DEADLINE_S = 20.0


def hold(lock: Any) -> None:
    """
    Take a lock and give it back, again and again, until the process is killed.
    """
    while True:
        with lock:
            pass


def take(lock: Any) -> None:
    """
    Wait for a lock, and keep it.
    """
    lock.acquire()


def take_beside_a_thread(lock: Any) -> None:
    """
    Take a free lock, and wait for what is not a lock of multiprocessing.
    """
    lock.acquire()
    threading.Event().wait()


def read(pipe: Any) -> None:
    """
    Wait for a message.
    """
    pipe.recv()


@contextmanager
def started(method: str, *targets: tuple[Any, Any]) -> Iterator[list[int]]:
    """
    Start a process for each function and its lock.
    """
    context: Any = multiprocessing.get_context(method)
    processes = [context.Process(target=run, args=(lock,)) for run, lock in targets]
    try:
        for process in processes:
            process.start()
        yield [process.pid or 0 for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.join()
            process.close()


@pytest.mark.parametrize("method", METHODS)
def test_processes_that_wait_for_a_lock_all_wait_for_it(method: str) -> None:
    context = multiprocessing.get_context(method)
    lock, other = context.Lock(), context.Lock()
    lock.acquire()
    other.acquire()
    with started(method, (take, lock), (take, lock), (take, other)) as (a, b, c):
        assert wait_until(lambda: all_wait_for([lock], [a, b]), DEADLINE_S)
        assert wait_until(lambda: all_wait_for([other], [c]), DEADLINE_S)
        assert not all_wait_for([other], [a, b])
        assert not all_wait_for([lock], [a, b, c])


@pytest.mark.parametrize("method", METHODS)
def test_processes_may_wait_for_a_pipe_or_for_a_lock(method: str) -> None:
    context = multiprocessing.get_context(method)
    lock, (reader, writer), others = context.Lock(), context.Pipe(False), os.pipe()
    lock.acquire()
    other = Connection(others[0])
    with started(method, (take, lock), (read, reader)) as (a, b), reader, writer, other:
        assert wait_until(lambda: all_wait_for([lock, reader], [a, b]), DEADLINE_S)
        assert not all_wait_for([lock], [a, b])
        assert not all_wait_for([reader], [a, b])
        assert not all_wait_for([lock, other], [a, b])
    os.close(others[1])


@pytest.mark.parametrize("method", METHODS)
def test_a_process_that_has_the_lock_is_found_however_it_waits(method: str) -> None:
    lock = multiprocessing.get_context(method).Lock()
    with started(method, (take_beside_a_thread, lock), (take, lock)) as (a, b):
        # One of them has it: whoever was first.
        assert wait_until(
            lambda: any(all_wait_for([lock], [x]) for x in (a, b)), DEADLINE_S
        )
        assert not all_wait_for([lock], [a, b])


@pytest.mark.parametrize("method", METHODS)
def test_a_lock_that_goes_from_one_to_the_other_has_a_holder(method: str) -> None:
    lock = multiprocessing.get_context(method).Lock()
    with started(method, (hold, lock), (hold, lock), (hold, lock)) as pids:
        assert wait_until(
            lambda: all(progress_of(pid).stops > 20 for pid in pids), DEADLINE_S
        )
        assert not any(all_wait_for([lock], pids) for _ in range(100))


def test_a_process_that_is_gone_waits_for_nothing() -> None:
    lock = multiprocessing.Lock()
    lock.acquire()
    with started("fork", (take, lock)) as (pid,):
        assert wait_until(lambda: all_wait_for([lock], [pid]), DEADLINE_S)
        assert progress_of(pid).state == "S"
    assert progress_of(pid).state == "X"
    assert not all_wait_for([lock], [pid])
    assert all_wait_for([lock], [])
