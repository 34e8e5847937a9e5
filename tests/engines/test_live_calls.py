"""
Live calls in tasks of Dask on another host, over a connection of their own.
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from distributed.security import Security

from duck_jupyter import fetch, locked, ref, share, shared, unshare
from duck_jupyter.engines.dask import engine_of
from duck_jupyter.errors import KernelGone, LimitedProxyChaining, NotShareable
from tests.support.clusters import WAIT_S
from tests.support.hosts import ONLY_ROOT, cluster, network
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import Client

    from duck_jupyter.session.session import Session

pytestmark = [
    pytest.mark.slow,
    ONLY_ROOT,
]

TASKS = 8
ROWS = 100_000


#: The certificates and the scheme of a cluster, and whether its workers have a network
#: of their own.
PLACES = {
    "container": (False, "tcp", False),
    "tls": (True, "tls", False),
    "network": (False, "tcp", True),
    "tls network": (True, "tls", True),
    "web sockets": (True, "wss", False),
}


@pytest.fixture(scope="module", params=PLACES)
def place(
    request: pytest.FixtureRequest,
    own_folders: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Client, dict[str, Any]]]:
    """
    Give a client of a cluster, and how objects are shared with it.
    """
    has_tls, scheme, has_network = PLACES[request.param]
    security = Security.temporary() if has_tls else None
    folder = tmp_path_factory.mktemp("cluster")
    if not has_network:
        with cluster(folder, security, scheme=scheme) as found:
            yield found.client, {"on": found.client}
        return
    with network(2) as net, cluster(folder, security, net, scheme=scheme) as found:
        insecure = security is None
        yield found.client, {"on": found.client, "insecure": insecure}


class Node:
    """
    An object that a proxy stands for at each step.
    """

    def __init__(self) -> None:
        self.entered = 0

    def next(self) -> Node:
        return Node()

    def __enter__(self) -> Node:
        self.entered += 1
        return self

    def __exit__(self, *error: object) -> None:
        self.entered += 1


def add_one(results: Any) -> int:
    results["n"] += 1
    return int(results["n"])


def add_locked(results: Any, _: int) -> None:
    with locked(results):
        results["n"] += 1


def use(results: Any, node: Any) -> list[Any]:
    found: list[Any] = [len(results), list(results), dict(results.items())]
    ref(results)["list"].append(7)
    with node as inside:
        found.append(inside.next().entered)
    return [*found, error_of(lambda: results["missing"]), error_of(node.next().next)]


def error_of(call: Callable[[], Any]) -> type:
    try:
        call().next()
    except (KeyError, LimitedProxyChaining) as error:
        return type(error)
    raise AssertionError("it returned")


def test_an_object_is_changed_from_another_host(
    place: tuple[Client, dict[str, Any]], session: Session
) -> None:
    client, terms = place
    results = {"n": 1}
    share(results, "results", **terms)
    future = client.submit(add_one, shared.results)
    assert future.result(timeout=WAIT_S) == 2
    client.gather(client.map(add_locked, [shared.results] * TASKS, range(TASKS)))
    assert results == {"n": 2 + TASKS}
    assert session.server is not None
    rows = session.server.statistics().workers
    known = client.scheduler_info(n_workers=-1)["workers"]
    told = {row.cluster.address for row in rows if row.cluster}
    assert told
    assert told <= known.keys()
    assert {row.way for row in rows} == {"direct"}


def test_all_of_a_proxy_works_on_another_host(
    place: tuple[Client, dict[str, Any]], session: Session
) -> None:
    client, terms = place
    results, node = {"list": [1]}, Node()
    share(results, "results", **terms)
    share(node, "node", max_chain=2, **terms)
    future = client.submit(use, shared.results, shared.node)
    assert future.result(timeout=WAIT_S) == [
        1,
        ["list"],
        {"list": [1]},
        0,
        KeyError,
        LimitedProxyChaining,
    ]
    assert results == {"list": [1, 7]}
    assert node.entered == 2


def first_of(many: Any) -> int:
    return int(many[0][0]["list"][0])


def test_any_proxy_of_the_kernel_brings_its_way(
    place: tuple[Client, dict[str, Any]], session: Session
) -> None:
    client, terms = place
    share({"list": [5]}, "results", **terms)
    # In a container, and as a part of a function that Dask pickles.
    future = client.submit(first_of, ({0: shared.results},))
    assert future.result(timeout=WAIT_S) == 5
    live = shared.results
    future = client.submit(lambda: value_of(live))
    assert future.result(timeout=WAIT_S) == 5


def test_an_object_is_fetched_from_another_host(
    place: tuple[Client, dict[str, Any]], session: Session
) -> None:
    client, terms = place
    share(np.ones(ROWS), "array", **terms)
    live = shared.array
    future = client.submit(lambda: float(fetch(live).sum()))
    assert future.result(timeout=WAIT_S) == ROWS


def value_of(live: Any) -> int:
    return int(live["list"][0])


def is_open(door: Any) -> bool:
    try:
        socket.create_connection((door.host, door.port), 1.0).close()
    except OSError:
        return False
    return True


def call_late(results: Any) -> str:
    try:
        return str(len(results))
    except KernelGone as error:
        return str(error)


def test_a_port_is_open_while_a_name_is_shared(
    place: tuple[Client, dict[str, Any]], session: Session
) -> None:
    client, terms = place
    share({"n": 1}, "one", **terms)
    share({"n": 1}, "two", **terms)
    kernel: Any = engine_of(client)._kernel
    way, door = next(iter(kernel.doors._open.items()))
    connection: Any = client.scheduler_comm
    scheme, _, here = connection.comm.local_address.rpartition("://")
    assert door.host == here.rpartition(":")[0]
    assert bool(way.context) == (scheme in ("tls", "wss"))
    live = shared.one
    assert client.submit(call_late, live).result(timeout=WAIT_S) == "1"
    unshare("one")
    assert is_open(door)
    unshare("two")
    assert wait_until(lambda: not is_open(door), WAIT_S)
    late = client.submit(call_late, live, pure=False)
    assert "cannot be reached" in late.result(timeout=WAIT_S)
    share({"n": 1}, "two", **terms)
    assert client.submit(add_one, shared.two).result(timeout=WAIT_S) == 2
    door = next(iter(kernel_of(client).doors._open.values()))
    session.stop()
    assert wait_until(lambda: not is_open(door), WAIT_S)
    assert wait_until(lambda: not streams(), WAIT_S)


def streams() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("duck-stream")]


def kernel_of(client: Client) -> Any:
    return engine_of(client)._kernel


def test_plain_tcp_beyond_this_host_needs_consent(
    place: tuple[Client, dict[str, Any]], session: Session
) -> None:
    client, terms = place
    if not terms.get("insecure"):
        return
    with pytest.raises(NotShareable, match="must use TLS"):
        share({"n": 1}, "one", on=client)
    assert "one" not in shared
