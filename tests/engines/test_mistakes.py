"""
What is said where an object cannot be shared with a cluster.
"""

from __future__ import annotations

import asyncio
import re
import threading
from typing import TYPE_CHECKING, Any

import dask.array
import numpy as np
import pytest
from dask.delayed import delayed
from distributed import Client, LocalCluster
from distributed.utils import get_ip

from duck_jupyter import share, shared
from duck_jupyter.engines.distributed_data import is_distributed
from duck_jupyter.errors import DataEncodeError, HandshakeError, NotShareable
from tests.support.clusters import WAIT_S, dask_client
from tests.support.processes import run_python, start_python, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duck_jupyter.session.session import Session

pytestmark = pytest.mark.slow

IN_THIS_PROCESS: dict[str, Any] = {
    "processes": False,
    "n_workers": 1,
    "dashboard_address": ":0",
}


@pytest.fixture(scope="module")
def client(own_folders: None) -> Iterator[Client]:
    """
    Give a client of a cluster with one worker.
    """
    with dask_client(1, 1) as client:
        yield client


@pytest.fixture
def array(session: Session) -> Any:
    """
    An array of the notebook.
    """
    return np.ones(10_000)


class Locked:
    """
    An object that cannot be pickled.
    """

    def __init__(self) -> None:
        self.numbers = np.ones(10_000)
        self.lock = threading.Lock()


def is_unused(client: Client) -> bool:
    return "submit" not in vars(client)


WITHOUT_CLIENT = """
from duck_jupyter import share
from duck_jupyter.errors import NotShareable
try:
    share([1], "numbers", on="dask")
except NotShareable as error:
    print(error)
"""


def test_there_must_be_a_client() -> None:
    done = run_python(WITHOUT_CLIENT)
    assert re.search(r"no client of Dask.*Client\(\)", done.stdout), done


@pytest.mark.parametrize("on", ["spark", object(), 7])
def test_on_must_be_a_cluster(array: Any, on: Any) -> None:
    with pytest.raises(
        NotShareable, match="on must be 'dask', 'ray', a client of Dask"
    ):
        share(array, "array", on=on)


WITHOUT_PACKAGE = """
import sys
from duck_jupyter import share
from duck_jupyter.errors import NotShareable
sys.modules[sys.argv[1]] = None
try:
    share([1], "numbers", on=sys.argv[2])
except NotShareable as error:
    print(error)
"""


@pytest.mark.parametrize(("package", "on"), [("distributed", "dask"), ("ray", "ray")])
def test_the_package_of_the_cluster_must_be_installed(package: str, on: str) -> None:
    with start_python(WITHOUT_PACKAGE, package, on) as process:
        said, _ = process.communicate(timeout=WAIT_S)
    wanted = rf"needs its package {package}, .* install 'duck-jupyter\[{on}\]'\n"
    assert re.search(wanted, said), said
    assert said.count("\n") == 1


def test_the_current_client_is_found(client: Client, array: Any) -> None:
    share(array, "array", on="dask")
    assert client.submit(np.sum, array).result(timeout=WAIT_S) == 10_000


def test_a_closed_client_is_refused(array: Any) -> None:
    with LocalCluster(**IN_THIS_PROCESS) as cluster:
        client = Client(cluster, set_as_default=False)
        client.close()
        with pytest.raises(NotShareable, match=r"connected to a scheduler.*'closed'"):
            share(array, "array", on=client)


async def share_with_asynchronous_client(array: Any) -> None:
    async with (
        LocalCluster(asynchronous=True, **IN_THIS_PROCESS) as cluster,
        Client(cluster, asynchronous=True, set_as_default=False) as client,
    ):
        with pytest.raises(NotShareable, match="an ordinary one, not Client"):
            share(array, "array", on=client)


def test_an_asynchronous_client_is_refused(array: Any) -> None:
    asyncio.run(share_with_asynchronous_client(array))


def test_a_network_without_encryption_must_be_accepted(array: Any) -> None:
    ip = get_ip()
    how = {**IN_THIS_PROCESS, "protocol": "tcp", "host": ip}
    with LocalCluster(**how) as cluster, Client(cluster) as client:
        with pytest.raises(
            NotShareable,
            match=rf"tcp://{ip}.*distributed\.security\.Security.*insecure=True",
        ):
            share(array, "array", on=client)
        assert is_unused(client)
        share(array, "array", on=client, insecure=True)
        assert client.submit(np.sum, array).result(timeout=WAIT_S) == 10_000


def test_a_scheduler_of_the_network_is_none_of_this_host(array: Any) -> None:
    how = {**IN_THIS_PROCESS, "protocol": "tcp", "host": "0.0.0.0"}
    with LocalCluster(**how) as cluster:
        port = cluster.scheduler.port
        with Client(f"tcp://127.0.0.1:{port}", set_as_default=False) as client:
            with pytest.raises(NotShareable, match=rf"tcp://{get_ip()}:{port} must"):
                share(array, "array", on=client)
            assert is_unused(client)


def test_a_client_is_made_of_a_cluster(array: Any) -> None:
    with (
        LocalCluster(**IN_THIS_PROCESS) as cluster,
        pytest.raises(NotShareable, match=r"client = Client\(CLUSTER\)"),
    ):
        share(array, "array", on=cluster)


def test_insecure_must_be_used_with_on(array: Any) -> None:
    with pytest.raises(NotShareable, match="insecure must be used with on"):
        share(array, "array", insecure=True)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("sys.modules['duck_jupyter'] = None", "has no duck_jupyter"),
        ("sys.modules['duck_jupyter'].__version__ = '0.0.9'", r"has duck_.* 0\.0\.9"),
    ],
)
def test_the_workers_must_have_this_version_of_the_package(
    client: Client, array: Any, statement: str, message: str
) -> None:
    before = (
        "import sys, duck_jupyter; sys.ours = duck_jupyter, duck_jupyter.__version__"
    )
    client.run(exec, before)
    client.run(exec, f"import sys; {statement}")
    try:
        with pytest.raises(HandshakeError, match=f"{message}.*pip install duck-jup"):
            share(array, "array", on=client)
    finally:
        after = (
            "import sys; m, m.__version__ = sys.ours; sys.modules['duck_jupyter'] = m"
        )
        client.run(exec, after)
    assert is_unused(client)
    assert "array" not in shared
    share(array, "array", on=client)


def test_an_object_that_cannot_be_pickled_is_named(
    client: Client, session: Session
) -> None:
    locked = Locked()
    share(locked, "locked", on=client)
    with pytest.raises(DataEncodeError, match=r"locked\.lock is a .*lock") as caught:
        client.submit(len, locked)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["inplace", "handover"])
def test_options_that_contradict_on_are_refused(
    client: Client, array: Any, option: str
) -> None:
    how: Any = {option: option == "inplace"}
    with pytest.raises(NotShareable, match="either on a cluster or with --"):
        share(array, "array", on=client, **how)


MAKERS: dict[str, Callable[[Client], Any]] = {
    "collection": lambda client: dask.array.ones(10, chunks=5),
    "delayed": lambda client: delayed(int)(),
    "future": lambda client: client.submit(int),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("option", ["on", "frozen", "inplace"])
def test_options_of_what_is_on_the_cluster_already_are_refused(
    client: Client, session: Session, kind: str, option: str
) -> None:
    value = MAKERS[kind](client)
    assert is_distributed(value)
    how: Any = {option: client if option == "on" else True}
    with pytest.raises(NotShareable, match=f"--{option}.*Pass 'value' to tasks as it"):
        share(value, "value", **how)


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_on_the_cluster_already_is_live_only(
    client: Client, session: Session, kind: str
) -> None:
    from duck_jupyter.data.handover import handover

    value = MAKERS[kind](client)
    share(value, "value")
    assert not handover.is_shared(value)
    if kind == "collection":
        assert shared.value.shape == (10,)


def test_a_client_that_is_closed_gives_everything_back(
    array: Any, session: Session
) -> None:
    with LocalCluster(**IN_THIS_PROCESS) as cluster, Client(cluster) as client:
        share(array, "array", on=client)
        assert client.submit(np.sum, array).result(timeout=WAIT_S) == 10_000
    assert is_unused(client)
    server = session.server
    assert server is not None
    share(array, "array")
    idx = shared.array._duck_idx
    assert wait_until(lambda: not server.publisher.versions(idx).mapped, WAIT_S)


def test_sharing_again_after_the_server_was_closed_works(
    client: Client, array: Any, session: Session
) -> None:
    share(array, "array", on=client)
    assert client.submit(np.sum, array).result(timeout=WAIT_S) == 10_000
    assert session.server is not None
    session.server.close()
    share(array, "array", on=client)
    found = client.submit(np.sum, array, pure=False)
    assert found.result(timeout=WAIT_S) == 10_000


def test_a_session_without_a_cluster_imports_nothing_of_one() -> None:
    code = (
        "import sys, duck_jupyter as d; l = [1]; d.share(l, 'l'); d.unshare('l'); "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('dask', 'distributed', 'ray')])"
    )
    assert run_python(code).stdout.strip() == "[]"
