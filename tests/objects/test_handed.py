"""
How often objects were handed over, and who holds a version: beside what workers did.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.objects.handed import MOST_NOTES, Handed, HandedCounts
from duck_jupyter.session.api import share, unshare
from duck_jupyter.session.observe import snapshot_of
from duck_jupyter.session.overview import overview_of
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.session.session import Session
    from duck_jupyter.stats.rows import ObjectRow, Totals

SIZE = 1_000_000


@pytest.fixture(scope="module")
def pool(own_folders: None) -> Iterator[ProcessPoolExecutor]:
    """
    A worker that was there before anything was shared.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(abs, 1).result()
        yield pool


def take(data: Any, number: int, barrier: Any) -> tuple[int, float]:
    """
    Take a version, and keep it until all have one and the test has looked.
    """
    total = float(data.sum())
    barrier.wait(20)
    barrier.wait(20)
    return os.getpid(), total + number


def add(data: Any) -> float:
    return float(data.sum())


def told(session: Session) -> tuple[Totals, dict[str, ObjectRow]]:
    found = snapshot_of(session)
    return found.totals, {row.path: row for row in found.objects}


@pytest.mark.slow
def test_a_pool_that_holds_versions_is_told(session: Session) -> None:
    data = np.ones(SIZE)
    share(data, name="data")
    workers = 4
    context = get_context("spawn")
    with (
        context.Manager() as manager,
        ProcessPoolExecutor(workers, mp_context=context) as pool,
    ):
        barrier = manager.Barrier(workers + 1)
        jobs = [pool.submit(take, data, n, barrier) for n in range(workers)]
        barrier.wait(20)
        found = snapshot_of(session)
        barrier.wait(20)
        measured = [job.result() for job in jobs]
    pids = {pid for pid, _ in measured}
    assert [total for _, total in measured] == [SIZE + n for n in range(workers)]
    assert {row.pid for row in found.workers} == pids
    assert {(row.holds, row.threads, row.calls) for row in found.workers} == {(1, 0, 0)}
    (row,) = found.objects
    assert set(row.pids) == pids
    assert (row.handovers, row.versions) == (workers, 1)
    assert row.handed_bytes == workers * data.nbytes
    assert found.totals.handovers == workers
    assert found.totals.handed_bytes == workers * data.nbytes
    assert found.totals.versions == 1
    # The pool has ended, and nobody holds anything.
    assert wait_until(lambda: snapshot_of(session).workers == [])


@pytest.mark.slow
def test_eight_tasks_are_eight_hand_overs(session: Session) -> None:
    data = np.ones(SIZE)
    share(data, name="data")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(add, [data] * 8)) == [SIZE] * 8
        data[0] = 2.0
        assert list(pool.map(add, [data] * 8)) == [SIZE + 1.0] * 8
    totals, rows = told(session)
    assert (rows["data"].handovers, totals.handovers) == (16, 16)
    assert totals.handed_bytes == rows["data"].handed_bytes == 16 * data.nbytes
    # Nobody has connected, and yet there were workers.
    assert overview_of(session).state == "Serving 1 object; no worker is connected now."


@pytest.mark.slow
def test_parts_are_hand_overs_of_their_object(
    session: Session, pool: ProcessPoolExecutor
) -> None:
    data = np.ones(SIZE // 10)
    share(data, name="data")
    assert pool.submit(add, data[:1000]).result() == 1000
    totals, rows = told(session)
    assert rows["data"].handovers == totals.handovers == 1
    assert rows["data"].handed_bytes == totals.handed_bytes == 8000


@pytest.mark.slow
def test_what_is_small_is_handed_over_and_copied(
    session: Session, pool: ProcessPoolExecutor
) -> None:
    data = np.ones(3)
    share(data, name="data")
    assert pool.submit(add, data).result() == 3
    totals, _ = told(session)
    assert (totals.handovers, totals.handed_bytes, totals.versions) == (1, 0, 0)


@pytest.mark.slow
def test_an_unshared_object_counts_among_all(
    session: Session, pool: ProcessPoolExecutor
) -> None:
    data, other = np.ones(SIZE), np.ones(2)
    share(data, name="data")
    share(other, name="other")
    assert pool.submit(add, data).result() == SIZE
    unshare("data")
    totals, rows = told(session)
    assert list(rows) == ["other"]
    assert (totals.handovers, totals.handed_bytes) == (1, data.nbytes)


def test_hand_overs_are_added_up_though_nobody_looks() -> None:
    counts = HandedCounts()
    for _ in range(3 * MOST_NOTES):
        counts.note(7, 1, 10)
    assert len(counts._notes) <= MOST_NOTES
    assert counts.of(7) == counts.in_all() == Handed(3 * MOST_NOTES, 30 * MOST_NOTES)
    counts.forget(7)
    assert counts.of(7) == Handed()
    assert counts.in_all().times == 3 * MOST_NOTES
