"""
How long workers wait for the kernel: what is told, beside what they measure themselves.
"""

from __future__ import annotations

import operator
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from duck_jupyter.stats.counts import bucket_of
from duck_jupyter.stats.text import quantile
from duck_jupyter.transport.lanes import TOOK, WAITED
from tests.support.asking import Measured, ask
from tests.support.objects import Tally
from tests.support.processes import wait_until
from tests.support.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.proxy import ProxyServer
    from duck_jupyter.stats.worker_rows import WorkerRow

# Times of this process and its workers, which another test would take from them.
pytestmark = [pytest.mark.alone, pytest.mark.slow]

#: Of the share of a worker's time, in hundredths of it.
POINTS = 0.05
SECONDS = 0.4
ROUNDS = 6


@pytest.fixture(scope="module")
def second_worker(own_folders: None) -> Iterator[Worker]:
    with closing(Worker()) as process:
        yield process


@pytest.fixture
def workers(worker: Worker, second_worker: Worker) -> list[Worker]:
    return [worker, second_worker]


class Told(NamedTuple):
    """
    What a worker measured, and what the server says of the same time.
    """

    measured: Measured
    calls: int
    waited_s: float
    latency: tuple[int, ...]


class Rows(NamedTuple):
    """
    What is told of workers, by their numbers, and the histogram of all calls.
    """

    of: dict[int, WorkerRow]
    latency: tuple[int, ...]


def measure(
    server: ProxyServer, workers: list[Worker], target: Any, *how: Any
) -> list[Told]:
    """
    Let workers call at once, once they are connected.
    """
    proxy = server.create_proxy(target)
    with ThreadPoolExecutor(len(workers)) as pool:

        def ask_all(*how: Any) -> list[Measured]:
            jobs = [pool.submit(worker.run, ask, proxy, *how) for worker in workers]
            return [job.result() for job in jobs]

        first = ask_all(how[0], 0.05, 1, 0.0)
        before = rows_after(server, first)
        measured = ask_all(*how)
        after = rows_after(server, [*first, *measured])
    return [
        Told(
            one,
            after.of[worker.pid].calls - before.of[worker.pid].calls,
            after.of[worker.pid].waited - before.of[worker.pid].waited,
            tuple(map(operator.sub, after.latency, before.latency)),
        )
        for worker, one in zip(workers, measured, strict=True)
    ]


def measured_rounds(*what: Any) -> Iterator[list[Told]]:
    """
    Measure several times.

    Where others want its core, a worker may be stopped between the proxy and the
    request, where no clock is read; this looks like own work.
    """
    for _ in range(ROUNDS):
        yield measure(*what)


def is_right(told: Told) -> bool:
    """
    Tell whether the share is within five points, and no call was missed.
    """
    assert told.calls in (told.measured.calls, told.measured.calls + 1)
    return abs(told.waited_s - told.measured.inside) < POINTS * told.measured.whole


def rows_after(server: ProxyServer, measured: list[Measured]) -> Rows:
    """
    Give what is told of workers, once their calls are counted.
    """
    calls = sum(one.calls for one in measured)
    assert wait_until(lambda: server.statistics().totals.calls >= calls)
    found = server.statistics()
    return Rows({row.pid: row for row in found.workers}, found.totals.latency)


@pytest.mark.parametrize(
    ("job", "every", "own_s"),
    [
        ("read", 1, 0.0),
        ("add", 1, 0.0),
        ("add", 1, 100e-6),
        ("add", 1, 3e-3),
        ("read", 64, 20e-3),
        ("send", 1, 1e-3),
        ("wait", 1, 0.0),
        ("wait", 1, 2e-3),
    ],
)
def test_the_time_that_a_worker_waits_is_what_it_measures(
    server: ProxyServer, workers: list[Worker], job: str, every: int, own_s: float
) -> None:
    target = threading.Event() if job == "wait" else Tally()
    rounds = measured_rounds(server, workers[:1], target, job, SECONDS, every, own_s)
    assert any(is_right(told) for (told,) in rounds)


def test_each_of_several_workers_is_told_its_own_wait(
    server: ProxyServer, workers: list[Worker]
) -> None:
    rounds = measured_rounds(server, workers, Tally(), "add", SECONDS, 1, 0.0)
    assert any(all(map(is_right, told)) for told in rounds)


def test_the_share_is_of_the_time_that_a_thread_is_connected(
    server: ProxyServer, workers: list[Worker]
) -> None:
    """
    A connection that only gives back what is held no longer is no thread.
    """
    proxy = server.create_proxy([Tally()])
    workers[0].exec("held = p[0].add\nfor _ in range(300): held(1, 2)", p=proxy)

    def is_given_back() -> bool:
        return len(server.table.entries) == 1

    assert wait_until(is_given_back)
    (connection,) = [each for each in server.connections() if each.asks]
    (told,) = server.statistics().workers
    assert told.threads == 1
    lasted = server.statistics().time - connection.since
    assert 0 < told.waited / lasted <= told.waiting_share <= 1


def is_near(told: float | None, measured: float) -> bool:
    """
    Tell whether a latency is in the bucket of another one, or in the next.
    """
    return told is not None and abs(bucket_of(told) - bucket_of(measured)) <= 1


def test_latencies_are_those_that_workers_measure(
    server: ProxyServer, workers: list[Worker]
) -> None:
    """
    Those of half of the calls, in the bucket of the measured or the next one.
    """
    rounds = measured_rounds(server, workers[:1], Tally(), "add", SECONDS, 1, 0.0)
    assert any(
        is_near(quantile(told.latency, 0.5), told.measured.p50) for (told,) in rounds
    )


def test_the_slow_calls_of_a_hundred_are_those_that_workers_measure(
    server: ProxyServer, workers: list[Worker]
) -> None:
    """
    The p99 where one call in 32 takes long; without, it is that of the machine's load.
    """
    event = threading.Event()
    rounds = measured_rounds(
        server, workers[:1], event, "sometimes wait", SECONDS, 1, 0.0
    )
    assert any(
        is_near(quantile(told.latency, 0.5), told.measured.p50)
        and is_near(quantile(told.latency, 0.99), told.measured.p99)
        for (told,) in rounds
    )


@pytest.mark.parametrize("written", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_time_that_cannot_be_is_not_told(
    server: ProxyServer, worker: Worker, written: float
) -> None:
    proxy = server.create_proxy(Tally())
    worker.exec("p.add(1, 2)", p=proxy)
    (connection,) = server.connections()
    doubles = connection.lane.doubles
    doubles[WAITED] = doubles[TOOK] = written
    (told,) = server.statistics().workers
    assert 0 <= told.waited <= server.statistics().time - connection.since
    worker.exec("for _ in range(70): p.add(1, 2)", p=proxy)
    assert server.statistics().totals.calls >= 71
