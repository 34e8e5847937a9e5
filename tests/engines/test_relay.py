"""
Live calls that the scheduler relays, where workers cannot reach the kernel's host.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from distributed.security import Security

from duck_jupyter import locked, share, shared
from duck_jupyter.client.other_hosts import Way
from duck_jupyter.client.reach import CONNECT_S, HEAD_START_S, Reach
from duck_jupyter.engines.dask import engine_of
from duck_jupyter.errors import KernelGone
from tests.support.clusters import WAIT_S
from tests.support.hosts import ONLY_ROOT, Cluster, Network, cluster, network, run_ip
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

AT_ONCE_S = 1.0
SIZE = 2_000_000
CALLS = 100


@pytest.fixture(scope="module", params=["plain", "tls"])
def place(
    request: pytest.FixtureRequest,
    own_folders: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Cluster, Network, dict[str, Any]]]:
    """
    Give a cluster whose worker is on another host.
    """
    security = Security.temporary() if request.param == "tls" else None
    folder = tmp_path_factory.mktemp("cluster")
    with network(1) as net, cluster(folder, security, net) as found:
        yield found, net, {"on": found.client, "insecure": security is None}


@pytest.fixture
def closed(place: tuple[Cluster, Network, dict[str, Any]]) -> str:
    """
    Return an address of the network where nobody answers.
    """
    return silent_in(place[1])


def silent_in(net: Network) -> str:
    return net.here.rpartition(".")[0] + ".77"


class Desk:
    """
    Notes what was done to it.
    """

    def __init__(self) -> None:
        self.count = 0
        self.began = threading.Event()
        self.go_on = threading.Event()
        self.data = b""

    def add(self) -> int:
        self.count += 1
        return self.count

    def wait(self) -> int:
        self.began.set()
        assert self.go_on.wait(WAIT_S)
        return self.count

    def is_open(self) -> bool:
        return self.go_on.is_set()


def share_closed(silent: str, terms: dict[str, Any]) -> Desk:
    """
    Share an object whose direct way leads nowhere.
    """
    desk = Desk()
    share(desk, "desk", **terms)
    link = shared.desk._duck_link
    link.ways = tuple(w if w.relay else w._replace(host=silent) for w in link.ways)
    return desk


def call_first(desk: Any) -> tuple[float, float, bool]:
    """
    Time the first call and the middle one of more, and say whether they are relayed.
    """
    began = time.perf_counter()
    desk.add()
    first = time.perf_counter() - began
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        desk.add()
        times.append(time.perf_counter() - began)
    return first, sorted(times)[CALLS // 2], is_relayed(desk)


def is_relayed(desk: Any) -> bool:
    return bool(desk._duck_link.thread.idle[-1].reaches)


@pytest.mark.alone
def test_the_first_call_falls_over_to_the_relay(
    place: tuple[Cluster, Network, dict[str, Any]], closed: str, session: Session
) -> None:
    found, _, terms = place
    desk = share_closed(closed, terms)
    future = found.client.submit(call_first, shared.desk)
    first, middle, relayed = future.result(timeout=WAIT_S)
    assert relayed
    assert desk.count == CALLS + 1
    # The direct way was still being tried, and the others did not try it.
    assert first < CONNECT_S
    assert middle < HEAD_START_S


def use_all(desk: Any) -> int:
    with locked(desk):
        desk.add()
    desk.data = bytes(SIZE)
    assert desk.data == bytes(SIZE)
    return len(desk.data)


def test_all_goes_through_the_relay(
    place: tuple[Cluster, Network, dict[str, Any]], closed: str, session: Session
) -> None:
    found, _, terms = place
    desk = share_closed(closed, terms)
    future = found.client.submit(use_all, shared.desk)
    assert future.result(timeout=WAIT_S) == SIZE
    assert desk.count == 1


def call_until_direct(desk: Any) -> tuple[bool, int]:
    desk.add()
    was_relayed = is_relayed(desk)
    desk.began.set()
    end = time.monotonic() + WAIT_S
    with locked(desk):
        while is_relayed(desk) and time.monotonic() < end:
            desk.is_open()
            threading.Event().wait(0.02)
        return was_relayed and not is_relayed(desk), int(desk.add())


def test_a_thread_moves_to_the_direct_way_when_that_opens(
    place: tuple[Cluster, Network, dict[str, Any]], closed: str, session: Session
) -> None:
    found, net, terms = place
    desk = share_closed(closed, terms)
    future = found.client.submit(call_until_direct, shared.desk)
    assert desk.began.wait(WAIT_S)
    # Now the address is one of this host, where the door has to listen.
    run_ip("addr", "add", f"{closed}/24", "dev", net.cable)
    kernel: Any = engine_of(found.client)._kernel
    door = next(iter(kernel.doors._open.values()))
    with listening_at(closed, door):
        assert future.result(timeout=WAIT_S) == (True, 2)
    run_ip("addr", "del", f"{closed}/24", "dev", net.cable)
    assert desk.count == 2


def test_a_worker_that_knows_a_direct_way_uses_no_relay(
    place: tuple[Cluster, Network, dict[str, Any]], session: Session
) -> None:
    found, _, terms = place
    desk = Desk()
    share(desk, "desk", **terms)
    assert not found.client.submit(call_first, shared.desk).result(timeout=WAIT_S)[-1]
    link = shared.desk._duck_link
    link.ways = tuple(way for way in link.ways if way.relay)
    assert not found.client.submit(call_first, shared.desk).result(timeout=WAIT_S)[-1]
    assert desk.count == 2 * (CALLS + 1)


@contextlib.contextmanager
def listening_at(host: str, door: Any) -> Iterator[None]:
    """
    Pass connections to another address of this host on to a door.
    """

    def run() -> None:
        with contextlib.suppress(OSError):
            while True:
                door.take(listener.accept()[0])

    listener = socket.create_server((host, door.port))
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def wait_relayed(desk: Any) -> str:
    try:
        desk.wait()
    except KernelGone as error:
        return str(error)
    return ""


def test_a_kernel_that_stops_ends_relayed_calls(
    place: tuple[Cluster, Network, dict[str, Any]], closed: str, session: Session
) -> None:
    found, _, terms = place
    desk = share_closed(closed, terms)
    future = found.client.submit(wait_relayed, shared.desk)
    assert desk.began.wait(WAIT_S)
    session.stop()
    assert "through the scheduler" in future.result(timeout=WAIT_S)
    desk.go_on.set()


def die_in_lock(desk: Any) -> None:
    with locked(desk):
        desk.began.set()
        if not desk.go_on.is_set():
            os._exit(1)


def test_a_worker_that_dies_frees_the_lock(session: Session, tmp_path: Path) -> None:
    with network(0) as net, cluster(tmp_path, net=net) as found:
        desk = share_closed(silent_in(net), {"on": found.client, "insecure": True})
        future = found.client.submit(die_in_lock, shared.desk)
        assert desk.began.wait(WAIT_S)
        began = time.monotonic()
        with locked(shared.desk, timeout=WAIT_S):
            assert time.monotonic() - began < AT_ONCE_S
            desk.go_on.set()
        # Dask runs the task again.
        future.result(timeout=WAIT_S)
        session.stop()


def test_the_scheduler_keeps_nothing_of_closed_tunnels(
    place: tuple[Cluster, Network, dict[str, Any]], closed: str, session: Session
) -> None:
    found, _, terms = place
    share_closed(closed, terms)
    found.client.submit(call_first, shared.desk).result(timeout=WAIT_S)
    assert found.client.run_on_scheduler(count_kernels) == 1
    session.stop()
    count = partial(found.client.run_on_scheduler, count_kernels)
    assert wait_until(lambda: count() == 0, WAIT_S)


def count_kernels(dask_scheduler: Any = None) -> int:
    relay = dask_scheduler.plugins["duck-relay"]
    return len(relay.kernels) + len(relay.waiting)


def test_a_failed_way_is_left_alone_for_a_while() -> None:
    found = Reach(Way("127.0.0.1", 1))
    assert not found.wait()
    tried_at = found._tried_at
    assert not found.wait()
    assert found._tried_at == tried_at
