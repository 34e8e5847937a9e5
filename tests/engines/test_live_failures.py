"""
What live calls from another host get when something fails, and when.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter import locked, share, shared
from duck_jupyter.engines import dask_check
from duck_jupyter.errors import KernelGone, NotShareable
from duck_jupyter.transport.streams import SILENT_S
from tests.support.clusters import WAIT_S
from tests.support.hosts import ONLY_ROOT, Cluster, Network, cluster, network
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duck_jupyter.session.session import Session

pytestmark = [
    pytest.mark.slow,
    # They wait for timeouts of the network, which are the same on each Python.
    pytest.mark.one_python,
    pytest.mark.timeout(120),
    ONLY_ROOT,
]

#: Seconds of a failure of the network that calls outlast.
SHORT_S = 5.0
#: Seconds that the system of either host may take longer than `SILENT_S`.
MORE_S = 8.0
AT_ONCE_S = 1.0


@pytest.fixture(scope="module")
def far_net(own_folders: None) -> Iterator[Network]:
    """
    Give the network of another host.
    """
    with network(3) as net:
        yield net


@pytest.fixture
def far(far_net: Network, tmp_path: Path) -> Iterator[Cluster]:
    """
    Give a cluster whose worker is on another host.
    """
    with cluster(tmp_path, net=far_net) as found:
        yield found


class Desk:
    """
    Notes what was done to it.
    """

    def __init__(self) -> None:
        self.count = 0
        self.began = threading.Event()
        self.go_on = threading.Event()
        self.is_over = False

    def add(self) -> int:
        self.count += 1
        return self.count

    def wait(self) -> int:
        self.began.set()
        assert self.go_on.wait(WAIT_S)
        return self.add()

    def begin(self) -> None:
        self.began.set()

    def seen(self) -> bool:
        return self.is_over


def share_desk(client: Any) -> Desk:
    desk = Desk()
    share(desk, "desk", on=client, insecure=True)
    return desk


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def wait_for_answer(desk: Any) -> tuple[int, float]:
    began = time.monotonic()
    return desk.wait(), time.monotonic() - began


def test_a_link_that_fails_for_some_seconds_costs_only_the_time(
    far: Cluster, far_net: Network, session: Session
) -> None:
    desk = share_desk(far.client)
    future = far.client.submit(wait_for_answer, shared.desk)
    assert desk.began.wait(WAIT_S)
    far_net.set_link("down")
    try:
        desk.go_on.set()
        pause(SHORT_S)
    finally:
        far_net.set_link("up")
    count, took = future.result(timeout=WAIT_S)
    assert count == desk.count == 1
    assert SHORT_S < took < SILENT_S


def call_in_silence(desk: Any) -> tuple[str, float]:
    try:
        desk.wait()
    except KernelGone as error:
        return str(error), time.time()
    return "", 0.0


def hold_in_silence(desk: Any) -> None:
    try:
        with locked(desk):
            desk.begin()
            pause(SILENT_S + MORE_S)
    except KernelGone:
        return


def test_silence_for_good_ends_calls_and_frees_locks(
    far: Cluster, far_net: Network, session: Session
) -> None:
    desk = share_desk(far.client)
    calling = far.client.submit(call_in_silence, shared.desk)
    assert desk.began.wait(WAIT_S)
    desk.began.clear()
    holding = far.client.submit(hold_in_silence, shared.desk)
    assert desk.began.wait(WAIT_S)
    began, at = time.monotonic(), time.time()
    far_net.set_link("down")
    try:
        with locked(shared.desk, timeout=WAIT_S):
            freed_after = time.monotonic() - began
        pause(began + SILENT_S + MORE_S - time.monotonic())
    finally:
        far_net.set_link("up")
    text, ended_at = calling.result(timeout=WAIT_S)
    desk.go_on.set()
    took = ended_at - at  # it is one clock
    assert "It may have made this call, or not." in text
    assert SILENT_S - 1 <= took <= SILENT_S + MORE_S
    assert SILENT_S - 1 <= freed_after <= SILENT_S + MORE_S
    desk.go_on.set()
    assert far.client.submit(len_of, shared.desk).result(timeout=WAIT_S) >= 0
    assert holding.result(timeout=WAIT_S) is None


def len_of(desk: Any) -> int:
    return int(desk.count)


def die_in_lock(desk: Any) -> int:
    with locked(desk):
        desk.begin()
        if not desk.seen():
            os.kill(os.getpid(), signal.SIGKILL)
        return int(desk.add())


def test_a_worker_that_dies_inside_locked_frees_the_lock_at_once(
    far: Cluster, session: Session
) -> None:
    desk = share_desk(far.client)
    future = far.client.submit(die_in_lock, shared.desk)
    assert desk.began.wait(WAIT_S)
    began = time.monotonic()
    with locked(shared.desk, timeout=WAIT_S):
        assert time.monotonic() - began < AT_ONCE_S
        desk.is_over = True
    # Dask runs the task again.
    assert future.result(timeout=WAIT_S) == 1


def call_often(desk: Any) -> None:
    desk.begin()
    while not desk.seen():
        desk.add()
        pause(0.01)


def test_calls_go_on_without_the_scheduler(
    far: Cluster, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = share_desk(far.client)
    future = far.client.submit(call_often, shared.desk)
    assert desk.began.wait(WAIT_S)
    far.scheduler.kill()
    far.scheduler.wait(WAIT_S)
    before = desk.count
    assert wait_until(lambda: desk.count > before + 10, AT_ONCE_S)
    desk.is_over = True
    # What is submitted meanwhile is refused soon, and not after Dask's 30 s.
    assert wait_until(lambda: far.client.status == "connecting", WAIT_S)
    monkeypatch.setattr(dask_check, "RECONNECT_S", AT_ONCE_S)
    with pytest.raises(NotShareable, match=r"lost its scheduler at .* was submitted"):
        far.client.submit(call_often, shared.desk)
    del future


def test_a_restart_of_the_cluster_ends_calls_and_begins_new_ones(
    far: Cluster, session: Session
) -> None:
    desk = share_desk(far.client)
    future = far.client.submit(wait_for_answer, shared.desk)
    assert desk.began.wait(WAIT_S)
    far.client.restart(timeout=WAIT_S)
    assert session.server is not None
    server = session.server
    assert wait_until(lambda: not server.connections(), WAIT_S)
    desk.go_on.set()
    assert future.status == "cancelled"
    assert far.client.submit(len_of, shared.desk).result(timeout=WAIT_S) <= 1


def test_workers_that_come_later_make_calls(
    far: Cluster, far_net: Network, session: Session, tmp_path: Path
) -> None:
    desk = share_desk(far.client)
    assert far.client.submit(len_of, shared.desk).result(timeout=WAIT_S) == 0
    far.client.restart(timeout=WAIT_S)
    futures = far.client.map(add_to, [shared.desk] * 4, range(4))
    assert sorted(far.client.gather(futures)) == [1, 2, 3, 4]
    assert desk.count == 4


def add_to(desk: Any, _: int) -> int:
    with locked(desk):
        return int(desk.add())
