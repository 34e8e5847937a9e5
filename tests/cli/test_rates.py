"""
Rates are differences of counts, between snapshots of one run of one server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from duck_jupyter.cli.rates import Rates, Window
from duck_jupyter.stats.rows import Totals
from tests.support.snapshots import golden
from tests.support.task_snapshots import NOW

if TYPE_CHECKING:
    from duck_jupyter.session.snapshot import Snapshot

change = msgspec.structs.replace


def later(before: Snapshot, seconds: float, **totals: Any) -> Snapshot:
    """
    Give a snapshot some seconds later, with other totals.
    """
    return change(
        before, time=before.time + seconds, totals=change(before.totals, **totals)
    )


def window(*snapshots: Snapshot) -> Window:
    """
    Make a window of snapshots.
    """
    found = Window()
    for snapshot in snapshots:
        found.add(snapshot)
    return found


def test_one_snapshot_tells_no_rate() -> None:
    assert window().rates() == Rates()
    assert window(golden()).rates() == Rates()
    assert window(golden(), golden()).rates() == Rates()
    assert window(golden()).calls_of(1) is None
    assert window(golden()).calls_from(1) is None
    assert Rates().calls is None


def test_rates_are_what_happened_in_a_second() -> None:
    first = golden()
    latency = list(first.totals.latency)
    latency[4] += 99
    latency[8] += 1
    second = later(
        first,
        2.0,
        gets=first.totals.gets + 100,
        sets=first.totals.sets + 20,
        executes=first.totals.executes + 4,
        bytes_in=first.totals.bytes_in + 2_000,
        bytes_out=first.totals.bytes_out + 6_000,
        latency=latency,
    )
    rates = window(first, second).rates()
    assert rates[:5] == (50.0, 10.0, 2.0, 1_000.0, 3_000.0)
    assert rates.calls == 62.0
    # Bucket i is under 2**i / 4 microseconds; this is 4.
    assert rates.p50 == pytest.approx(2 ** (3 + 50 / 99) / 4e6)
    assert rates.p99 == pytest.approx(4e-6)


def test_without_calls_no_latency_is_known() -> None:
    rates = window(golden(), later(golden(), 1.0)).rates()
    assert (rates.calls, rates.p50, rates.p99) == (0.0, None, None)


def test_what_is_older_than_the_window_does_not_count() -> None:
    first = golden()
    much = later(first, 1.0, gets=first.totals.gets + 1_000_000)
    found = window(first, much, later(much, 1.0))
    assert found.rates().gets == 0.0
    found.add(later(much, 2.0, gets=much.totals.gets + 7))
    assert found.rates().gets == 7.0


def test_a_restarted_kernel_begins_anew() -> None:
    first = golden()
    kernel = change(first.kernel, session="another")
    restarted = change(later(first, 1.0, gets=5), kernel=kernel)
    found = window(first, restarted)
    assert found.rates() == Rates()
    assert found.calls_of(1) is None
    found.add(later(restarted, 1.0, gets=9))
    assert found.rates().gets == 4.0


def test_a_server_that_began_anew_has_no_negative_rate() -> None:
    first = golden()
    stopped = change(first, time=NOW + 1, totals=Totals())
    assert window(first, stopped).rates() == Rates(0, 0, 0, 0, 0, waiting=0.0)
    assert window(stopped, later(stopped, 1.0, gets=7)).rates().gets == 7.0


def test_calls_of_an_object_are_its_own() -> None:
    first = golden()
    one, two, *others = first.objects
    called = change(one, gets=one.gets + 8, executes=one.executes + 2)
    new = change(two, idx=99, gets=4, sets=0, executes=0)
    second = change(first, time=first.time + 2, objects=[called, two, *others, new])
    found = window(first, second)
    assert found.calls_of(one.idx) == 5.0
    assert found.calls_of(two.idx) == 0.0
    assert found.calls_of(99) == 2.0


@pytest.mark.parametrize(
    ("waited", "threads", "share"),
    [(2.0, 2, 0.5), (2.0, 1, 1.0), (9.0, 1, 1.0), (0.0, 1, 0.0), (-1.0, 1, 0.0)],
)
def test_waiting_is_a_share_of_the_threads_time(
    waited: float, threads: int, share: float
) -> None:
    first = golden()
    worker = first.workers[0]
    now = change(worker, waited=worker.waited + waited, threads=threads)
    second = change(first, time=first.time + 2, workers=[now])
    assert window(first, second).waiting_of(worker.pid) == share


def test_a_new_worker_has_waited_since_it_came() -> None:
    first = golden()
    new = change(first.workers[1], pid=1, since=first.time + 1, waited=0.25)
    second = change(first, time=first.time + 2, workers=[new])
    assert window(first, second).waiting_of(1) == 0.25


def test_the_waiting_of_all_is_a_share_of_all_their_time() -> None:
    first = golden()
    one, two, _ = first.workers
    workers = [
        change(one, waited=one.waited + 1, threads=3),
        change(two, waited=two.waited + 1, threads=1),
    ]
    second = change(first, time=first.time + 1, workers=workers)
    assert window(first, second).rates().waiting == 0.5
    assert window(first, change(second, workers=[])).rates().waiting is None


def test_calls_of_a_worker_are_its_own() -> None:
    first = golden()
    one, two, _ = first.workers
    workers = [change(one, calls=one.calls + 10), two]
    found = window(first, change(first, time=first.time + 2, workers=workers))
    assert (found.calls_from(one.pid), found.calls_from(two.pid)) == (5.0, 0.0)


def test_a_rate_of_rows_is_that_of_two_seconds_and_waiting_that_of_a_minute() -> None:
    first = golden()
    (row, *_), (worker, *_) = first.objects, first.workers
    found = window(first)
    for second in range(1, 120):
        found.add(
            change(
                first,
                time=first.time + second,
                objects=[change(row, gets=row.gets + second**2)],
                workers=[
                    change(worker, threads=1, waited=max(0, second - 89) * 1.0),
                ],
            )
        )
    assert found.calls_of(row.idx) == (119**2 - 117**2) / 2
    assert found.waiting_of(worker.pid) == 0.5
