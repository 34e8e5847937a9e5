"""
Calls from other hosts: a worker that cannot find the server's socket on its own host.
"""

from __future__ import annotations

import contextlib
import pickle
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from distributed.security import Security

from duck_jupyter import locked, ref
from duck_jupyter.client.other_hosts import Way
from duck_jupyter.errors import (
    HandshakeError,
    KernelGone,
    LimitedProxyChaining,
)
from duck_jupyter.server import stream_door
from duck_jupyter.server.stream_door import StreamDoor, open_door
from duck_jupyter.transport.handshake import FIRST_FAR_PID
from tests.support.far import Elsewhere, Thing, error_of, share
from tests.support.processes import wait_until

if TYPE_CHECKING:
    import ssl

    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

pytestmark = pytest.mark.slow

WAIT_S = 20.0
#: Seconds in which the end of a worker is noticed.
AT_ONCE_S = 1.0
#: The middle call of those to a kernel that computes takes at most this long.
BUSY_S = 0.002
THREADS = 6
CALLS = 200


# -- everything that a proxy does ----------------------------------------------------


def use_dict(d: Any) -> list[Any]:
    d["n"] += 1
    found = [d["n"], len(d), "n" in d, list(d), dict(d.items())]
    ref(d)["list"].append(3)
    with locked(d) as held:
        held["n"] += 1
    return [*found, d["list"], d["n"]]


def test_a_dict(server: ProxyServer, door: StreamDoor, worker: Worker) -> None:
    d = {"n": 1, "list": [2]}
    found = worker.run(use_dict, share(server, d))
    assert found == [2, 2, True, ["n", "list"], {"n": 2, "list": [2]}, [2, 3], 3]
    assert d == {"n": 3, "list": [2, 3]}


def use_thing(thing: Any) -> list[Any]:
    found: list[Any] = [thing.child().child().numbers["n"]]
    with thing as inside:
        inside.child()
    with pytest.raises(KeyError, match="missing"):
        thing.fail()
    with pytest.raises(LimitedProxyChaining):
        thing.child().child().child()
    return found


def test_chains_blocks_and_errors(
    server: ProxyServer, door: StreamDoor, worker: Worker
) -> None:
    thing = Thing()
    shared = share(server, thing, max_chain=2)
    assert worker.run(use_thing, shared) == [0]
    first, second = thing.entered
    assert first == second


def iterate(items: Any) -> tuple[list[int], list[int]]:
    return list(items), [next(it) for it in [iter(items)] for _ in range(3)]


def test_iteration(server: ProxyServer, door: StreamDoor, worker: Worker) -> None:
    numbers = list(range(3000))
    assert worker.run(iterate, share(server, numbers)) == (numbers, [0, 1, 2])


def echo_large(d: Any, size: int) -> bool:
    array = np.arange(size)
    d["array"] = array
    d["bytes"] = bytes(size)
    return bool((np.asarray(d["array"]) == array).all()) and d["bytes"] == bytes(size)


def test_large_values(server: ProxyServer, door: StreamDoor, worker: Worker) -> None:
    assert worker.run(echo_large, share(server, {}), 1_000_000)


def count_up(d: Any) -> None:
    def count() -> None:
        for _ in range(CALLS):
            with locked(d):
                d["n"] += 1

    threads = [threading.Thread(target=count) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_of_a_worker_take_turns(
    server: ProxyServer, door: StreamDoor, worker: Worker
) -> None:
    d = {"n": 0}
    worker.run(count_up, share(server, d))
    assert d["n"] == THREADS * CALLS


# -- statistics ----------------------------------------------------------------------


def time_calls(items: Any) -> list[float]:
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        len(items)
        times.append(time.perf_counter() - began)
    return times


def test_calls_are_counted_and_workers_named(
    server: ProxyServer, door: StreamDoor, worker: Worker
) -> None:
    took = sum(worker.run(time_calls, share(server, [1], name="items")))
    # A call is counted after its answer was sent.
    assert wait_until(lambda: server.statistics().totals.executes == CALLS)
    found = server.statistics()
    (row,) = found.workers
    assert row.name == f"{socket.gethostname()}:{worker.pid}"
    assert row.pid >= FIRST_FAR_PID
    assert row.way == "direct"
    assert row.cluster is not None
    assert row.cluster.host == socket.gethostname()
    assert row.cluster.pid == worker.pid
    assert row.calls == found.totals.executes == CALLS
    assert 0 < row.waited <= took
    assert sum(found.totals.latency) == CALLS - 1
    assert found.totals.beside == 0
    assert found.memory.ours == 0


@pytest.mark.alone
def test_a_kernel_that_computes_answers_soon(
    server: ProxyServer, door: StreamDoor, worker: Worker
) -> None:
    before = sys.getswitchinterval()
    is_over = threading.Event()
    times: list[float] = []

    def ask() -> None:
        times.extend(worker.run(time_calls, share(server, [1])))
        is_over.set()

    asking = threading.Thread(target=ask)
    asking.start()
    count = 0
    while not is_over.is_set():
        count += sum(range(100))
    asking.join()
    assert sorted(times)[len(times) // 2] < BUSY_S
    assert wait_until(lambda: sys.getswitchinterval() == before, WAIT_S)


# -- what is refused -----------------------------------------------------------------


def test_a_wrong_secret_is_refused(
    server: ProxyServer, door: StreamDoor, worker: Worker
) -> None:
    wrong = share(server, [1])
    wrong.secret = bytes(16)
    kind, text = worker.run(error_of, len, wrong)
    assert kind is HandshakeError
    assert "does not know the secret" in text
    assert not server.connections()


def test_other_certificates_are_refused(
    server: ProxyServer, door: StreamDoor, worker: Worker, way: tuple[Any, bytes]
) -> None:
    # A worker without TLS is no client for a server with it, and the other way round.
    connect = pickle.dumps(other_context)
    proxy = server.create_proxy([1], name="x")
    other = Elsewhere(proxy, Way(door.host, door.port, connect))
    kind, text = worker.run(error_of, len, other)
    if way[0] is None:
        assert kind is KernelGone
    else:
        assert kind is HandshakeError
        assert "do not accept each other" in text
    assert not server.connections()


def test_a_worker_without_certificates_is_refused(
    server: ProxyServer, worker: Worker
) -> None:
    listen = Security.temporary().get_listen_args("client")["ssl_context"]
    door = open_door(server, "127.0.0.1", listen)
    proxy = server.create_proxy([1], name="x")
    kind, _ = worker.run(error_of, len, Elsewhere(proxy, Way(door.host, door.port)))
    assert kind is KernelGone
    assert not server.connections()
    door.close()


def other_context() -> ssl.SSLContext:
    security = Security.temporary()
    found: ssl.SSLContext = security.get_connection_args("worker")["ssl_context"]
    return found


def test_a_silent_stranger_is_hung_up_on(
    server: ProxyServer, monkeypatch: pytest.MonkeyPatch, worker: Worker
) -> None:
    monkeypatch.setattr(stream_door, "HANDSHAKE_S", 0.2)
    door = open_door(server, "127.0.0.1", None)
    with socket.create_connection((door.host, door.port)) as stranger:
        stranger.settimeout(WAIT_S)
        assert stranger.recv(1) == b""
    monkeypatch.undo()
    server.link.ways = (Way(door.host, door.port),)
    assert worker.run(len, share(server, [1])) == 1


def test_strangers_leave_room_for_workers(
    server: ProxyServer, monkeypatch: pytest.MonkeyPatch, worker: Worker
) -> None:
    monkeypatch.setattr(stream_door, "MOST_STRANGERS", 2)
    door = open_door(server, "127.0.0.1", None)
    server.link.ways = (Way(door.host, door.port),)
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stranger = socket.create_connection((door.host, door.port))
            stack.enter_context(stranger)
        assert worker.run(len, share(server, [1])) == 1
    door.close()
