"""
How workers ended, as a session tells it: by their pool, or killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

import pytest

from duck_jupyter import share
from duck_jupyter.session.observe import snapshot_of
from duck_jupyter.stats.exits import end_of
from tests.support.pools import METHODS
from tests.support.processes import kill, wait_until

if TYPE_CHECKING:
    from duck_jupyter.proxy import Proxy
    from duck_jupyter.session.session import Session

WORKERS = 3
DEADLINE_S = 30.0

pytestmark = pytest.mark.slow


def meet(proxy: Proxy, barrier: Proxy) -> int:
    """
    Read an item, and wait until all workers have: each of them has one such job.
    """
    assert proxy["a"] == 1
    barrier.wait(DEADLINE_S)
    return os.getpid()


def stay(here: Proxy) -> None:
    """
    Say that this worker is here, and do nothing until it is told to end.
    """
    here.append(os.getpid())
    signal.pause()


def ends_of(session: Session, count: int) -> dict[int, tuple[str, str]]:
    """
    Wait until it is known of so many workers how they ended, and give that by pid.
    """

    def found() -> dict[int, tuple[str, str]]:
        rows = snapshot_of(session).ended
        return {row.pid: (row.how, row.words) for row in rows if row.how != "gone"}

    wait_until(lambda: len(found()) >= count, DEADLINE_S)
    return found()


def shared_barrier(session: Session) -> tuple[Proxy, Proxy]:
    """
    Share something to read, and something for all workers to wait at.
    """
    barrier = threading.Barrier(WORKERS)
    return share({"a": 1}, name="cfg"), share(barrier, name="barrier")


@pytest.mark.parametrize("method", METHODS)
def test_workers_that_their_pool_terminates_were_not_killed(
    session: Session, method: str
) -> None:
    here: list[int] = []
    proxy = share(here, name="here")
    pool = multiprocessing.get_context(method).Pool(WORKERS)
    try:
        pool.map_async(stay, [proxy] * WORKERS, 1)
        assert wait_until(lambda: len(here) == WORKERS, DEADLINE_S)
    finally:
        pool.terminate()
        pool.join()
    # It has thrown away what it knew of them.
    del pool
    expected = dict.fromkeys(here, ("ended", "ended by SIGTERM"))
    assert ends_of(session, WORKERS) == expected


@pytest.mark.parametrize("method", METHODS)
def test_workers_of_a_pool_that_is_closed_have_ended(
    session: Session, method: str
) -> None:
    work = shared_barrier(session)
    pool = multiprocessing.get_context(method).Pool(WORKERS)
    try:
        pids = pool.starmap_async(meet, [work] * WORKERS, 1).get(DEADLINE_S)
        pool.close()
        pool.join()
    finally:
        pool.terminate()
    assert ends_of(session, WORKERS) == dict.fromkeys(pids, ("ended", "ended"))


@pytest.mark.parametrize("method", METHODS)
def test_of_an_executor_that_broke_only_one_worker_was_killed(
    session: Session, method: str
) -> None:
    work = shared_barrier(session)
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(WORKERS, context) as executor:
        jobs = [executor.submit(meet, *work) for _ in range(WORKERS)]
        pids = [job.result(DEADLINE_S) for job in jobs]
        waits = executor.submit(signal.pause)
        kill(pids[0])
        with pytest.raises(BrokenProcessPool):
            waits.result(DEADLINE_S)
    ends = ends_of(session, WORKERS)
    assert ends[pids[0]] == ("killed", "killed by SIGKILL")
    # It tells the others to end, which may have done so before by themselves.
    assert {ends[pid][0] for pid in pids[1:]} == {"ended"}


@pytest.mark.parametrize(
    ("code", "how", "words"),
    [
        (None, "gone", "gone"),
        (0, "ended", "ended"),
        (3, "failed", "failed with exit code 3"),
        (-signal.SIGTERM, "ended", "ended by SIGTERM"),
        (-signal.SIGKILL, "killed", "killed by SIGKILL"),
        (-signal.SIGSEGV, "killed", "killed by SIGSEGV"),
        (-99, "killed", "killed by signal 99"),
    ],
)
def test_an_exit_code_has_words(code: int | None, how: str, words: str) -> None:
    assert end_of(code) == (how, words)
