"""
Children of the fork server get no SIGINT before they can handle it.
"""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import forkserver
from typing import Any

import pytest

from duck_jupyter.pools.fork_server import start_fork_server
from duck_jupyter.pools.install import install, uninstall

CONTEXT = multiprocessing.get_context("forkserver")
WAIT_S = 20


def blocked() -> list[int]:
    return sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


class BlockedWhileItStarts:
    """
    Is, where it is unpickled, the signals that are blocked then.
    """

    def __reduce__(self) -> Any:
        return blocked, ()


#: In a worker, what was blocked while it started.
at_start: Any = None


def note(value: Any) -> None:
    global at_start
    at_start = value


def look(_: int) -> tuple[Any, list[int]]:
    return at_start, blocked()


def tell(connection: Any, at_start: Any) -> None:
    connection.send((at_start, blocked()))


@pytest.fixture(autouse=True)
def new_server() -> Any:
    """
    Let the test start the fork server with the extension.
    """
    server: Any = forkserver._forkserver
    server._stop()
    install()
    yield
    uninstall()
    server._stop()


def test_a_worker_of_a_pool_has_its_handler_first() -> None:
    how: Any = {"initializer": note, "initargs": (BlockedWhileItStarts(),)}
    with ProcessPoolExecutor(1, CONTEXT, **how) as pool:
        started, later = pool.submit(look, 1).result(timeout=WAIT_S)
    assert started == [signal.SIGINT]
    assert later == []


def test_another_process_is_interrupted_as_ever() -> None:
    ours, its = CONTEXT.Pipe()
    process = CONTEXT.Process(target=tell, args=(its, BlockedWhileItStarts()))
    process.start()
    assert ours.poll(WAIT_S)
    _, later = ours.recv()
    process.join(WAIT_S)
    assert later == []
    assert process.exitcode == 0


def test_the_modules_of_the_user_are_preloaded_as_ever() -> None:
    server: Any = forkserver._forkserver
    before = server._preload_modules
    start_fork_server()
    assert server._preload_modules is before
