"""
The workers of a cluster of Dask as the statistics and the monitor list them.

One worker is on this host, and the others are in a container of it: their processes
have numbers of their own, so they use the network.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from distributed import Client, LocalCluster, get_worker

from duck_jupyter import share, shared, statistics, tasks, unshare
from duck_jupyter.engines import dask_asking
from duck_jupyter.engines.dask import engine_of
from duck_jupyter.engines.dask_listing import end_in
from duck_jupyter.memory.process_state import pid_namespace
from duck_jupyter.session.observe import snapshot_of
from duck_jupyter.transport.handshake import FIRST_FAR_PID
from tests.support.clusters import WAIT_S, another_worker, dask_client
from tests.support.hosts import cluster, far_process
from tests.support.processes import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from duck_jupyter.session.session import Session
    from duck_jupyter.stats.worker_rows import EndedRow, WorkerRow

pytestmark = pytest.mark.slow

FAR_WORKERS = 2
#: Seconds until something is seen.
SOON_S = 15.0
CALLS = 7
#: A port of loopback where nobody listens.
NO_PORT = 1


@pytest.fixture(scope="module")
def client(own_folders: None) -> Iterator[Client]:
    """
    Give a client with one worker here and two on another host.
    """
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(dask_client(1, 2))
        command = [sys.executable, "-m", "distributed.cli.dask_worker"]
        command += [client.scheduler_info()["address"], "--nworkers", str(FAR_WORKERS)]
        command += ["--nthreads", "1", "--name", "far", "--no-dashboard"]
        process = stack.enter_context(far_process(command, {}))
        # So that they remove their semaphores.
        stack.callback(end, process)
        client.wait_for_workers(1 + FAR_WORKERS, timeout=WAIT_S)
        yield client


def end(process: subprocess.Popen[bytes]) -> None:
    for worker in psutil.Process(process.pid).children():
        worker.terminate()
    process.wait(WAIT_S)


def where_each_is(client: Client) -> tuple[list[str], list[str]]:
    """
    Return the addresses of the workers here, and of those on the other host.
    """
    found = client.run(pid_namespace)
    here = [address for address, space in found.items() if space == pid_namespace()]
    return here, sorted(found.keys() - set(here))


def call(desk: Any) -> tuple[int, str]:
    """
    Call some times, and say which process did.
    """
    for _ in range(CALLS):
        desk.append(0)
    return os.getpid(), get_worker().address


def row_of(address: str) -> WorkerRow | None:
    rows = statistics().workers
    found = [row for row in rows if row.cluster and row.cluster.address == address]
    assert len(found) <= 1
    return found[0] if found else None


def seen(address: str, is_so: Callable[[WorkerRow], object]) -> WorkerRow:
    """
    Wait until the row of a worker is as it should be.
    """
    found: list[WorkerRow] = []

    def look() -> bool:
        row = row_of(address)
        if row is None or not is_so(row):
            return False
        found.append(row)
        return True

    assert wait_until(look, SOON_S), row_of(address)
    return found[0]


def pid_in(row: WorkerRow) -> int | None:
    return None if row.cluster is None else row.cluster.pid


def ended_at(address: str) -> EndedRow | None:
    for row in statistics().ended_workers:
        if row.cluster and row.cluster.address == address:
            return row
    return None


def test_a_worker_here_is_known_by_the_number_of_its_process(
    client: Client, session: Session
) -> None:
    share([0], "desk", on=client)
    here, _ = where_each_is(client)
    told = client.run(os.getpid, workers=here)
    rows = {row.cluster.address: row for row in statistics().workers if row.cluster}
    assert {address: rows[address].pid for address in here} == told


@pytest.mark.parametrize("way", ["lane", "direct", "relay"])
def test_a_worker_is_seen_with_its_way_and_its_traffic(
    client: Client, session: Session, way: str
) -> None:
    here, far = where_each_is(client)
    desk: list[int] = []
    share(desk, "desk", on=client)
    if way == "relay":
        link = shared.desk._duck_link
        link.ways = tuple(
            each if each.relay else each._replace(host="127.0.0.1", port=NO_PORT)
            for each in link.ways
        )
    wanted = here[0] if way == "lane" else far[0]
    future = client.submit(call, shared.desk, workers=[wanted])
    pid, address = future.result(timeout=WAIT_S)
    row = seen(address, lambda row: row.calls >= CALLS and pid_in(row) == pid)
    assert row.way == way
    assert row.cluster is not None
    assert row.name == f"{row.cluster.host}:{row.cluster.worker}"
    assert row.bytes_in > 0
    assert row.bytes_out > 0
    assert (row.pid == pid) is (way == "lane")
    assert (row.pid >= FIRST_FAR_PID) is (way != "lane")
    told = {row.name: row.cluster for row in tasks().workers}
    assert told[row.name] is not None


def is_idle(pid: int, row: WorkerRow) -> bool:
    """
    Tell whether a worker is known and has no task; those of before count for a moment.
    """
    return row.cluster is not None and (row.cluster.pid, row.cluster.running) == (
        pid,
        0,
    )


def test_workers_that_never_called_are_listed_with_what_dask_says(
    client: Client, session: Session
) -> None:
    here, far = where_each_is(client)
    pids = client.run(os.getpid)
    share([1], "items", on=client)
    for address in (*here, *far):
        row = seen(address, partial(is_idle, pids[address]))
        assert row.cluster is not None
        assert row.calls == 0
        assert row.way is None
        assert not row.is_served
        assert row.memory is not None
        assert row.memory == row.cluster.memory
        assert row.memory > 1 << 20
        assert row.cluster.memory_limit
        assert row.cluster.waiting == 0
        assert row.cluster.state == "running"
    names = {row.name for row in statistics().workers}
    assert {"127.0.0.1:far-0", "127.0.0.1:far-1"} <= names


class Desk:
    """
    Notes when a task is inside of it.
    """

    def __init__(self) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()

    def wait(self) -> bool:
        self.began.set()
        return self.go_on.wait(WAIT_S)


def wait_at(desk: Any) -> bool:
    return bool(desk.wait())


def test_tasks_that_run_and_wait_are_counted(client: Client, session: Session) -> None:
    _, far = where_each_is(client)
    desk = Desk()
    share(desk, "desk", on=client)
    futures = [client.submit(wait_at, shared.desk, workers=far[:1]) for _ in range(3)]
    try:
        assert desk.began.wait(WAIT_S)
        row = seen(far[0], lambda row: row.cluster and row.cluster.running == 1)
        assert row.calling == ("desk",)
    finally:
        desk.go_on.set()
    client.gather(futures)


def is_process(pid: int, row: WorkerRow) -> bool:
    return row.own_pid == pid


def test_workers_that_hang_hide_no_others(
    client: Client, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_asking, "ANSWER_S", 1.0)
    with contextlib.ExitStack() as stack:
        hanging = []
        for name in ("first", "second"):
            pid, address = stack.enter_context(another_worker(client, name))
            os.kill(pid, signal.SIGSTOP)
            hanging.append((pid, address))
        share([1], "items", on=client)
        pid, address = stack.enter_context(another_worker(client, "third"))
        seen(address, partial(is_process, pid))
        for pid, address in hanging:
            assert seen(address, bool).own_pid is None
            os.kill(pid, signal.SIGCONT)
        for pid, address in hanging:
            seen(address, partial(is_process, pid))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_with(desk: Any) -> None:
    desk.append(os.getpid())
    die()


def test_killed_workers_say_how_they_ended(session: Session, tmp_path: Path) -> None:
    with cluster(tmp_path, workers=2) as found:
        client = found.client
        pids = client.run(os.getpid)
        caller, idle = pids
        desk: list[int] = []
        share(desk, "desk", on=client)
        seen(idle, lambda row: pid_in(row) == pids[idle])
        client.submit(call, shared.desk, workers=[caller]).result(timeout=WAIT_S)
        client.run(die, on_error="ignore")

        def are_told() -> bool:
            rows = [ended_at(address) for address in pids]
            return all(row and row.words == "connection lost" for row in rows)

        assert wait_until(are_told, SOON_S), statistics().ended_workers
        first, second = ended_at(caller), ended_at(idle)
        assert first is not None
        assert second is not None
        assert first.calls >= CALLS
        assert second.calls == 0
        assert first.cluster is not None
        assert first.cluster.pid == pids[caller]
        assert row_of(caller) is None


def test_a_worker_that_is_retired_says_so(client: Client, session: Session) -> None:
    here, _ = where_each_is(client)
    share([1], "items", on=client)
    seen(here[0], bool)
    # It goes the way of the subscription to what the scheduler says of its workers.
    assert client.submit(int).result(timeout=WAIT_S) == 0
    client.retire_workers(workers=here)

    def is_told() -> bool:
        row = ended_at(here[0])
        return row is not None and row.how == "ended"

    assert wait_until(is_told, SOON_S), ended_at(here[0])
    row = ended_at(here[0])
    assert row is not None
    # Whichever of its scheduler and of itself says so first.
    assert row.words in {"retired", "closed"}


def eat(size: int) -> int:
    """
    Fill memory until the nanny ends this process.
    """
    held = []
    while True:
        held.append(b"x" * size)


def test_a_worker_that_its_nanny_kills_says_why(
    session: Session, own_folders: None
) -> None:
    how: dict[str, Any] = {"n_workers": 1, "threads_per_worker": 1}
    how |= {"dashboard_address": "127.0.0.1:0", "memory_limit": "300MB"}
    with LocalCluster(**how) as local, Client(local) as client:
        share([], "desk", on=client)
        _, address = client.submit(call, shared.desk).result(timeout=WAIT_S)
        future = client.submit(eat, 1 << 16, retries=0)

        def is_told() -> bool:
            row = ended_at(address)
            return row is not None and row.how == "killed" and "nanny" in row.words

        assert wait_until(is_told, SOON_S), statistics().ended_workers
        future.cancel()


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("client-restart", "restarted"),
        ("check-worker-ttl", "silent for too long"),
        ("something-new", "left the cluster"),
    ],
)
def test_a_reason_of_the_scheduler_is_said_in_words(why: str, words: str) -> None:
    assert end_in({"left": "tcp://10.0.0.2:1", "why": why}).words == words
    assert end_in({"left": "tcp://10.0.0.2:1"}).words == "left the cluster"


def test_nothing_is_listed_without_shared_names(
    client: Client, session: Session
) -> None:
    share([1], "items", on=client)
    assert session.clusters.look().rows
    unshare("items")
    assert wait_until(lambda: not session.clusters.look().rows, SOON_S)
    assert not engine_of(client).workers()


def test_no_secret_is_in_the_rows(client: Client, session: Session) -> None:
    share([1], "items", on=client)
    assert session.server is not None
    secret = session.server._start().doorway.secret
    text = repr(snapshot_of(session, within_s=WAIT_S))
    assert secret.hex() not in text
    assert repr(secret) not in text


def test_a_local_cluster_is_seen_with_its_dashboard_and_its_signal(
    session: Session, own_folders: None
) -> None:
    how: dict[str, Any] = {"n_workers": 1, "threads_per_worker": 1}
    how |= {"dashboard_address": "127.0.0.1:0", "memory_limit": "1GB"}
    with LocalCluster(**how) as local, Client(local) as client:
        desk: list[int] = []
        share(desk, "desk", on=client)
        pid, address = client.submit(call, shared.desk).result(timeout=WAIT_S)
        row = seen(address, lambda row: row.calls >= CALLS and row.memory)
        assert (row.pid, row.name, row.way) == (pid, "127.0.0.1:0", "lane")
        assert row.cluster is not None
        assert row.cluster.memory_limit == 10**9
        shown = snapshot_of(session, within_s=WAIT_S)
        assert [(each.kind, each.dashboard) for each in shown.clusters] == [
            ("Dask", client.dashboard_link)
        ]
        os.kill(pid, signal.SIGKILL)

        def is_told() -> bool:
            row = ended_at(address)
            return row is not None and row.words == "killed by SIGKILL"

        assert wait_until(is_told, SOON_S), statistics().ended_workers
