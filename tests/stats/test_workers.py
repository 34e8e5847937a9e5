"""
What a server says of workers that have ended.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.objects import Tally
from tests.support.processes import kill, wait_until

if TYPE_CHECKING:
    from duck_jupyter.proxy import Proxy, ProxyServer

#: A server that adds up too early loses a call of about one in a hundred.
WORKERS_THAT_DIE = 100


def use(proxy: Proxy, times: int) -> None:
    """
    Call an object a number of times: the job of a worker.
    """
    for _ in range(times):
        proxy.count()


def die_in_a_call(proxy: Proxy) -> None:
    """
    End without a word after a call.
    """
    proxy.count()
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_worker_that_ended_well_is_remembered(server: ProxyServer) -> None:
    proxy = server.create_proxy(Tally())
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=use, args=(proxy, 7), name="adder")
    process.start()
    process.join()

    assert wait_until(lambda: bool(server.statistics().ended_workers))
    (found,) = server.statistics().ended_workers
    assert (found.pid, found.name) == (process.pid, "adder")
    assert found.calls == 8
    assert found.since <= found.ended
    assert server.statistics().workers == ()
    assert server.statistics().totals.calls == 8


@pytest.mark.slow
def test_a_worker_that_was_killed_is_remembered_with_its_signal(
    server: ProxyServer,
) -> None:
    proxy = server.create_proxy(Tally())
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=die_in_a_call, args=(proxy,), name="doomed")
    process.start()

    assert wait_until(lambda: bool(server.statistics().ended_workers), 15)
    assert wait_until(
        lambda: server.statistics().ended_workers[0].exit_code == -signal.SIGKILL
    )
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        kill(process.pid or 0)


@pytest.mark.slow
def test_the_last_call_of_a_worker_that_dies_of_it_is_counted(
    server: ProxyServer,
) -> None:
    """
    The server counts a call after its answer, which the worker may not outlive.
    """
    proxy = server.create_proxy(Tally())
    context = multiprocessing.get_context("fork")
    for _ in range(WORKERS_THAT_DIE):
        process = context.Process(target=die_in_a_call, args=(proxy,))
        process.start()
        process.join()

    # Each asks what is a method, and calls it.
    calls = 2 * WORKERS_THAT_DIE
    assert wait_until(lambda: server.statistics().totals.calls == calls)
    assert wait_until(
        lambda: (
            [end.calls for end in server.statistics().ended_workers]
            == [2] * WORKERS_THAT_DIE
        )
    )
