"""
When a kernel is said to be busy, and by how much it delays a call.
"""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.stats.delays import Delays
from tests.support.asking import ask
from tests.support.objects import Tally
from tests.support.processes import wait_until
from tests.support.workers import Worker

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer

#: Waits for so many microseconds, and lets no other thread of Python run meanwhile.
hold_interpreter = ctypes.PyDLL(None).usleep
HELD_US = 400_000


def test_the_longest_delay_of_the_last_two_seconds_is_told() -> None:
    delays = Delays()
    assert delays.longest(100.0) is None
    delays.note(100.0, 0.3)
    delays.note(100.01, 0.2)
    delays.note(101.0, 0.1)
    assert delays.longest(101.0) == 0.3
    assert delays.longest(102.5) == 0.1
    assert delays.longest(103.1) is None


def test_a_delay_that_any_call_may_have_is_none() -> None:
    delays = Delays()
    delays.note(100.0, 0.0009)
    assert delays.longest(100.0) is None


def test_however_many_are_delayed_the_longest_is_known() -> None:
    delays = Delays()
    delays.note(100.0, 0.5)
    for n in range(10_000):
        delays.note(100.0 + n / 10_000, 0.001)
    assert delays.longest(101.0) == 0.5


@pytest.mark.slow
def test_a_busy_kernel_is_said_to_delay_calls_as_workers_measure(
    server: ProxyServer,
) -> None:
    proxy = server.create_proxy(Tally())
    with closing(Worker()) as worker, ThreadPoolExecutor(1) as pool:
        job = pool.submit(worker.run, ask, proxy, "add", 3.0, 1, 0.0)
        assert wait_until(lambda: server.statistics().totals.calls > 100)

        def is_told() -> bool:
            # A call that runs already is slow then, and none is delayed.
            hold_interpreter(HELD_US)
            return (server.statistics().busy_delay_s or 0) > 0.1

        assert wait_until(is_told)
        told = server.statistics().busy_delay_s
        measured = job.result()
    assert told is not None
    assert told == pytest.approx(measured.longest, rel=0.3)
    # Nobody is delayed where nobody is connected any more.
    assert wait_until(lambda: server.statistics().workers == ())
    assert server.statistics().busy_delay_s is None


def test_a_kernel_that_was_not_called_is_not_busy(server: ProxyServer) -> None:
    server.create_proxy(Tally())
    hold_interpreter(10_000)
    assert server.statistics().busy_delay_s is None
