"""
Shared objects in tasks and actors of Ray.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import ray
from distributed.security import Security
from ray.util import get_node_ip_address
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from duck_jupyter import locked, share, shared, statistics, unshare
from duck_jupyter.engines import ray as engine_module
from duck_jupyter.engines.ray import ENGINE, SUBMITTERS, load_in_task
from duck_jupyter.errors import HandshakeError, NotShareable, NotShared, VersionGone
from duck_jupyter.session.api import own_session
from tests.support.clusters import WAIT_S
from tests.support.far import Elsewhere
from tests.support.processes import wait_until
from tests.support.ray_clusters import ray_cluster, submit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.session.session import Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.one_python,
    # Ray takes seconds to start, and a minute on a busy machine.
    pytest.mark.timeout(120),
]

SIZE = 10_000
#: The address of another node on this machine.
OTHER_NODE = "127.0.0.2"
#: What the classes of Ray have while nothing is shared.
UNUSED = [kind._remote for kind in SUBMITTERS]


@pytest.fixture(scope="module", autouse=True)
def running(own_folders: None) -> Iterator[None]:
    """
    Give a cluster that runs two tasks at once.
    """
    with ray_cluster(2):
        yield


@pytest.fixture
def array(session: Session) -> Any:
    """
    A shared array.
    """
    array = np.ones(SIZE)
    share(array, "array", on=ray)
    return array


class Holder:
    """
    An actor that got an array when it was made.
    """

    def __init__(self, array: Any) -> None:
        self.first = float(array.sum())

    def totals(self, array: Any) -> tuple[float, float]:
        return self.first, float(array.sum())

    def pid(self) -> int:
        return os.getpid()


class AsyncHolder:
    """
    An actor with an event loop.
    """

    async def total(self, array: Any) -> float:
        return float(array.sum())


def total(array: Any) -> float:
    return float(array.sum())


def total_at(array: Any, flag: Path) -> float:
    """
    Return the total when a file is there.
    """
    assert wait_until(flag.exists, WAIT_S)
    return total(array)


def die_once(array: Any, flag: Path) -> float:
    """
    Kill this worker, unless a file is there.
    """
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return total(array)


def is_unused() -> bool:
    return [kind._remote for kind in SUBMITTERS] == UNUSED


def is_open(way: Any) -> bool:
    try:
        socket.create_connection((way.host, way.port), 1.0).close()
    except OSError:
        return False
    return True


def is_kept(session: Session, count: int) -> bool:
    assert session.server is not None
    idx = shared.array._duck_idx
    return bool(session.server.publisher.versions(idx).kept <= count)


def test_actors_get_the_object(array: Any) -> None:
    holder = ray.remote(Holder).remote(array)
    array[:] = 2.0
    found = ray.get(holder.totals.remote(array), timeout=WAIT_S)
    assert found == (SIZE, 2 * SIZE)
    ray.kill(holder)


def test_actors_with_an_event_loop_get_the_object(array: Any) -> None:
    holder = ray.remote(AsyncHolder).remote()
    assert ray.get(holder.total.remote(array=array), timeout=WAIT_S) == SIZE
    ray.kill(holder)


def test_options_of_ray_are_left_alone(array: Any) -> None:
    task = ray.remote(total).options(num_cpus=0.5, name="array")
    assert ray.get(task.remote(array), timeout=WAIT_S) == SIZE


def test_a_task_whose_worker_was_killed_gets_the_same_state(
    array: Any, tmp_path: Path
) -> None:
    flag = tmp_path / "died"
    died = submit(die_once, array, flag)
    array[:] = 2.0
    assert submit(total, array).result(WAIT_S) == 2 * SIZE
    assert died.result(WAIT_S) == SIZE


def test_an_actor_that_ray_starts_again_gets_the_same_state(
    array: Any, session: Session
) -> None:
    options = {"max_restarts": 1, "max_task_retries": -1}
    holder = ray.remote(Holder).options(**options).remote(array)
    pid = ray.get(holder.pid.remote(), timeout=WAIT_S)
    for number in range(2, 5):
        array[:] = number
        assert submit(total, array).result(WAIT_S) == number * SIZE
    os.kill(pid, signal.SIGKILL)
    found = ray.get(holder.totals.remote(array), timeout=WAIT_S)
    assert found == (SIZE, 4 * SIZE)
    ray.kill(holder)
    del holder
    assert wait_until(lambda: is_kept(session, 2), WAIT_S)


def test_a_version_lives_until_no_task_can_ask_for_it(
    array: Any, session: Session, tmp_path: Path
) -> None:
    flag = tmp_path / "go on"
    waiting = [submit(total_at, array, flag) for _ in range(2)]
    # There is no worker for this one until the others go on.
    queued = submit(total, array)
    (way,) = shared.array._duck_link.ways
    unshare("array")
    assert is_open(way)
    assert not is_unused()
    flag.touch()
    assert [each.result(WAIT_S) for each in (*waiting, queued)] == [SIZE] * 3
    assert wait_until(is_unused, WAIT_S)
    assert wait_until(lambda: not is_open(way), WAIT_S)


def hold_and_die(results: Any, flag: Path) -> None:
    with locked(results):
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("way", ["lane", "stream"])
def test_a_worker_that_is_killed_frees_its_lock(
    session: Session, tmp_path: Path, way: str
) -> None:
    share({"n": 0}, "results", on="ray")
    flag = tmp_path / "locked"
    live = shared.results if way == "lane" else Elsewhere(shared.results)
    task = ray.remote(max_retries=0)(hold_and_die)
    with pytest.raises(ray.exceptions.WorkerCrashedError):
        ray.get(task.remote(live, flag), timeout=WAIT_S)
    assert flag.exists()
    with locked(shared.results, timeout=5.0):
        pass


def test_a_version_that_is_gone_is_named(array: Any, tmp_path: Path) -> None:
    flag = tmp_path / "go on"
    waiting = [submit(total_at, np.ones(1), flag) for _ in range(2)]
    queued = submit(total, array)
    kernel: Any = ENGINE._kernel
    kernel.lost()
    flag.touch()
    assert [each.result(WAIT_S) for each in waiting] == [1.0] * 2
    with pytest.raises(ray.exceptions.RaySystemError, match="does not keep this ver"):
        queued.result(WAIT_S)


class Counted:
    """
    Stands for what Ray counts.
    """


def fail(data: bytes, ask: Any) -> Any:
    raise VersionGone


def test_an_error_of_loading_does_not_hold_the_version() -> None:
    arguments = (fail, b"", bytes, Counted())
    gone = weakref.ref(arguments[-1])
    with pytest.raises(VersionGone) as caught:
        load_in_task(*arguments)
    del arguments
    assert caught.value.__traceback__ is not None
    assert gone() is None


def test_what_is_on_the_cluster_already_is_live_only(session: Session) -> None:
    value = ray.put(np.ones(SIZE))
    with pytest.raises(NotShareable, match=r"--on.*Pass 'value' to tasks"):
        share(value, "value", on="ray")
    share(value, "value")
    assert submit(total, value).result(WAIT_S) == SIZE


@pytest.fixture
def other_node() -> Iterator[str]:
    """
    Add a node with another address to the cluster, and give its id.
    """
    address = ray.get_runtime_context().gcs_address
    command = [str(Path(sys.executable).parent / "ray"), "start", "--block"]
    how = ["--address", address, "--node-ip-address", OTHER_NODE, "--num-cpus", "1"]
    pipe = subprocess.DEVNULL
    with subprocess.Popen([*command, *how], stdout=pipe, stderr=pipe) as node:
        try:
            assert wait_until(lambda: OTHER_NODE in nodes(), WAIT_S)
            yield nodes()[OTHER_NODE]
        finally:
            node.terminate()


def nodes() -> dict[str, str]:
    """
    Return the ids of the nodes, by address.
    """
    found = [each for each in ray.nodes() if each["Alive"]]
    return {each["NodeManagerAddress"]: each["NodeID"] for each in found}


def test_another_host_needs_encryption_or_consent(array: Any, other_node: str) -> None:
    with pytest.raises(NotShareable, match=rf"{OTHER_NODE} must use TLS.*insecure"):
        share(array, "array", on=ray)
    share(array, "array", on=ray, insecure=True)
    where = NodeAffinitySchedulingStrategy(other_node, soft=False)
    task = ray.remote(total).options(scheduling_strategy=where)
    assert ray.get(task.remote(array), timeout=WAIT_S) == SIZE
    # The first one is for this host alone.
    hosts = [way.host for way in shared.array._duck_link.ways]
    assert hosts == [get_node_ip_address(), "127.0.0.1"]


def test_the_page_of_the_cluster_is_linked(array: Any) -> None:
    share(array, "array", on=ray)
    assert not list(ENGINE.workers())
    (cluster,) = own_session().clusters.look().rows
    assert cluster.kind == "Ray"
    link = ray.worker.global_worker.node.webui_url
    assert cluster.dashboard == (f"http://{link}" if link else "")


def read(results: Any) -> int:
    return int(results["n"])


def test_the_call_that_finds_an_actor_leaves_its_arguments_alone(
    array: Any,
) -> None:
    how = {"name": "holder", "get_if_exists": True, "max_restarts": 1}
    kind = ray.remote(Holder).options(**how)
    holder = kind.remote(array)
    pid = ray.get(holder.pid.remote(), timeout=WAIT_S)
    array[:] = 2.0
    same = kind.remote(array)
    assert ray.get(same.pid.remote(), timeout=WAIT_S) == pid
    os.kill(pid, signal.SIGKILL)
    found = ray.get(
        holder.totals.options(max_task_retries=-1).remote(array), timeout=WAIT_S
    )
    assert found == (SIZE, 2 * SIZE)
    ray.kill(holder)


class Reader:
    """
    An actor that reads.
    """

    def read(self, results: Any) -> int:
        return read(results)


def test_a_worker_is_seen_under_its_host_and_its_actor(session: Session) -> None:
    share({"n": 7}, "results", on="ray")
    reader = ray.remote(Reader).remote()
    assert ray.get(reader.read.remote(shared.results), timeout=WAIT_S) == 7
    assert submit(read, shared.results).result(WAIT_S) == 7
    names = {row.name for row in statistics().workers}
    host = get_node_ip_address()
    assert {f"{host}:Reader", f"{host}:worker"} <= names


def test_a_name_in_a_worker_says_that_it_must_be_passed(session: Session) -> None:
    share({"n": 7}, "results", on="ray")
    with pytest.raises(
        NotShared, match=r"is a worker\..*work\.remote\(shared\.results"
    ):
        submit(name_there, "results").result(WAIT_S)


def name_there(name: str) -> Any:
    return getattr(shared, name)


def test_live_calls_use_the_certificates_of_the_cluster(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    security = Security.temporary()
    files = {
        "RAY_TLS_CA_CERT": security.tls_ca_file,
        "RAY_TLS_SERVER_CERT": security.tls_client_cert,
        "RAY_TLS_SERVER_KEY": security.tls_client_key,
    }
    for name, content in files.items():
        files[name] = str(tmp_path / name)
        Path(files[name]).write_text(content)
    with monkeypatch.context() as patch:
        # Ray itself has looked at it when it started.
        patch.setenv("RAY_USE_TLS", "1")
        for name, path in files.items():
            patch.setenv(name, path)
        share({"n": 7}, "results", on="ray")
    live = Elsewhere(shared.results)
    (way,) = live.ways
    assert (way.host, bool(way.context)) == (get_node_ip_address(), True)
    task = ray.remote(read).options(runtime_env={"env_vars": files})
    assert ray.get(task.remote(live), timeout=WAIT_S) == 7
    with pytest.raises(HandshakeError, match="RAY_TLS_SERVER_CERT"):
        submit(read, live).result(WAIT_S)


def test_all_nodes_must_have_this_version_of_the_package(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "__version__", "0.0.9")
    monkeypatch.setattr(ENGINE, "_checked", set())
    with pytest.raises(HandshakeError, match=r"has duck.*, and this notebook has 0\.0"):
        share(np.ones(SIZE), "array", on="ray")
    assert is_unused()
    assert "array" not in shared
