"""
Shared names in tasks of Dask, on this host and on another one.

The other host is a container of this machine: its processes have numbers of their own,
so they cannot open the kernel's memory.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import psutil
import pytest
from distributed import Client, Event, LocalCluster, get_worker

from duck_jupyter import fetch, share, shared, unshare
from duck_jupyter.engines.arrivals import copies
from duck_jupyter.engines.dask import WRAPPED, engine_of
from duck_jupyter.engines.dask_worker import ask
from duck_jupyter.errors import KernelGone
from duck_jupyter.memory.mapping_cache import LEAST_BYTES
from duck_jupyter.memory.process_state import pid_namespace
from tests.support.clusters import WAIT_S, dask_client
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.session.session import Session

pytestmark = pytest.mark.slow

ROWS = 100_000
FAR_WORKERS = 2


@contextlib.contextmanager
def far_workers(client: Client, count: int) -> Iterator[None]:
    """
    Start workers in a container of this machine.
    """
    address = client.scheduler_info()["address"]
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *user, "--pid", "--mount-proc", "--fork", "--kill-child"]
    command += [sys.executable, "-m", "distributed.cli.dask_worker", address]
    command += ["--nworkers", str(count), "--nthreads", "1", "--no-dashboard"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield
            # So that they remove their semaphores.
            for worker in psutil.Process(process.pid).children():
                worker.terminate()
            process.wait(WAIT_S)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def client(own_folders: None) -> Iterator[Client]:
    """
    Give a client with one worker here and two on another host.
    """
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(dask_client(1, 2))
        stack.enter_context(far_workers(client, FAR_WORKERS))
        client.wait_for_workers(1 + FAR_WORKERS, timeout=WAIT_S)
        yield client


@pytest.fixture
def frame(session: Session) -> pd.DataFrame:
    """
    A frame of the notebook.
    """
    return pd.DataFrame({"x": np.ones(ROWS)})


def far_addresses(client: Client) -> list[str]:
    found = client.run(pid_namespace)
    return [address for address, space in found.items() if space != pid_namespace()]


def total(frame: pd.DataFrame) -> float:
    return float(frame["x"].sum())


def total_fetched(live: Any) -> float:
    return total(fetch(live))


def read_and_measure(array: Any, number: int) -> tuple[float, int]:
    """
    Read an array; when both tasks have, give its sum and the shared bytes here.
    """
    found = float(array.sum())
    Event(f"{len(array)}-{number}").set()
    assert Event(f"{len(array)}-{1 - number}").wait(WAIT_S)
    lines = Path("/proc/self/status").read_text().splitlines()
    resident = next(line for line in lines if line.startswith("RssShmem"))
    return found, int(resident.split()[1]) << 10


def append(live: Any) -> None:
    if isinstance(live, list):
        live = live[0]["to"]
    live.append(1)


def file_of(frame: pd.DataFrame) -> int:
    """
    Return the number of the file whose mapping holds a frame.
    """
    start = frame["x"].to_numpy().__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text().splitlines():
        low, high = (int(end, 16) for end in line.split()[0].split("-"))
        if low <= start < high:
            return int(line.split()[4])
    raise AssertionError("not mapped")


def count_copies() -> int:
    return len(copies._things)


def die_once(frame: pd.DataFrame, mark: str) -> float:
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return total(frame)


def is_restored(client: Client) -> bool:
    return not vars(client).keys() & WRAPPED.keys()


def test_the_scheduler_needs_nothing_of_this_package(
    client: Client, frame: pd.DataFrame
) -> None:
    share(frame, "frame", on=client)
    assert client.submit(len, frame).result(timeout=WAIT_S) == ROWS
    assert client.gather(client.map(len, [frame] * 2)) == [ROWS] * 2
    assert client.submit(dict, frame=frame).result(timeout=WAIT_S).keys() == {"frame"}
    found = client.run_on_scheduler(eval, "sorted(__import__('sys').modules)")
    assert "distributed.scheduler" in found
    assert "duck_jupyter" not in found


def test_a_host_gets_a_version_once_and_its_workers_map_it(
    client: Client, frame: pd.DataFrame
) -> None:
    share(frame, "frame", on=client)
    far = far_addresses(client)
    (near,) = client.run(pid_namespace).keys() - set(far)
    assert len(far) == FAR_WORKERS
    futures = [client.submit(total, frame, workers=[each]) for each in far]
    assert client.gather(futures) == [ROWS] * FAR_WORKERS
    near_file, *far_files = client.gather(
        [
            client.submit(file_of, frame, workers=[each], pure=False)
            for each in (near, *far)
        ]
    )
    assert len(set(far_files)) == 1
    assert near_file not in far_files
    assert sum(client.run(count_copies).values()) == 1

    del futures
    unshare("frame")
    assert wait_until(lambda: not sum(client.run(count_copies).values()), WAIT_S)


def test_equal_submits_of_one_state_are_one_task(
    client: Client, frame: pd.DataFrame
) -> None:
    share(frame, "frame", on=client)
    first = client.submit(total, frame)
    assert client.submit(total, frame).key == first.key
    frame["x"] = 2.0
    assert client.submit(total, frame).key != first.key


def test_a_version_is_brought_through_the_scheduler_if_no_direct_way_leads_there(
    client: Client, frame: pd.DataFrame
) -> None:
    share(frame, "frame", on=client)
    (far, *_) = far_addresses(client)
    reached = engine_of(client)._sender._reached
    reached[far] = False
    future = client.submit(total, frame, workers=[far])
    assert future.result(timeout=WAIT_S) == ROWS
    assert not reached.pop(far)


def wait_for_an_answer(kernel: str) -> str:
    """
    Ask a kernel that does not answer, and give the error.
    """
    Event(kernel).set()
    try:
        ask(get_worker(), kernel, b"")
    except KernelGone as error:
        return str(error)
    return ""


@pytest.mark.parametrize("by", ["a version", "a fetch"])
def test_a_task_that_waits_for_a_kernel_that_stops_ends_at_once(
    client: Client, frame: pd.DataFrame, session: Session, by: str
) -> None:
    share(frame, "frame", on=client)
    engine = engine_of(client)
    assert engine._kernel is not None
    kernel = engine._name if by == "a version" else engine._kernel.name
    # An empty request has no answer.
    future = client.submit(wait_for_an_answer, kernel)
    assert Event(kernel).wait(WAIT_S)
    session.stop()
    assert "has ended, stopped its server" in future.result(timeout=WAIT_S)
    again = client.submit(wait_for_an_answer, kernel, pure=False)
    assert "has ended, stopped its server" in again.result(timeout=WAIT_S)


def test_threads_of_a_worker_use_one_mapping(client: Client, session: Session) -> None:
    size = 4 * LEAST_BYTES
    array = np.ones(size // 8)
    share(array, "array", on=client)
    far = far_addresses(client)
    near = client.run(os.getpid).keys() - set(far)
    how: dict[str, Any] = {"workers": list(near)}
    before = client.submit(read_and_measure, np.ones(1), 0, **how)
    other = client.submit(read_and_measure, np.ones(1), 1, **how)
    at_rest = max(resident for _, resident in client.gather([before, other]))
    found = client.gather(
        client.map(read_and_measure, [array] * 2, range(2), pure=False, **how)
    )
    assert [each for each, _ in found] == [size / 8] * 2
    assert max(resident for _, resident in found) - at_rest < 1.5 * size


def test_a_version_survives_the_death_of_its_worker(
    client: Client, frame: pd.DataFrame, tmp_path: Path
) -> None:
    share(frame, "frame", on=client)
    before = set(client.run(os.getpid))
    with far_workers(client, 1):
        client.wait_for_workers(len(before) + 1, timeout=WAIT_S)
        far = list(set(client.run(os.getpid)) - before)
        first = client.submit(total, frame, workers=far)
        assert first.result(timeout=WAIT_S) == ROWS
        mark = str(tmp_path / "mark")
        how: dict[str, Any] = {"workers": far, "allow_other_workers": True}
        future = client.submit(die_once, frame, mark, **how)
        frame["x"] = 2.0
        assert future.result(timeout=WAIT_S) == ROWS
        assert client.submit(total, frame).result(timeout=WAIT_S) == 2 * ROWS


def test_an_interrupted_submit_leaves_nothing(
    client: Client, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    share(frame, "frame", on=client)
    kernel: Any = engine_of(client)._kernel
    with monkeypatch.context() as patch:
        patch.setattr(Client, "submit", interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.submit(total, frame)
    assert kernel.is_idle
    assert not engine_of(client)._keys
    assert client.submit(total, frame).result(timeout=WAIT_S) == ROWS


def test_a_version_that_dask_has_lost_is_given_again(
    client: Client, frame: pd.DataFrame
) -> None:
    share(frame, "frame", on=client)
    assert client.submit(total, frame).result(timeout=WAIT_S) == ROWS
    for version in list(engine_of(client)._futures.values()):
        client.cancel([version], force=True)
        assert wait_until(version.cancelled, WAIT_S)
        del version
    assert client.submit(total, frame, pure=False).result(timeout=WAIT_S) == ROWS
    unshare("frame")
    assert wait_until(lambda: is_restored(client), WAIT_S)


def test_the_client_is_restored_when_nothing_can_ask_any_more(
    client: Client, frame: pd.DataFrame
) -> None:
    share(frame, "frame", on=client)
    future = client.submit(total, frame)
    assert not is_restored(client)
    unshare("frame")
    assert future.result(timeout=WAIT_S) == ROWS
    del future
    assert wait_until(lambda: is_restored(client), WAIT_S)


def test_fetch_brings_the_state_of_its_moment_to_another_host(
    client: Client, frame: pd.DataFrame
) -> None:
    share(frame, "frame", on=client)
    (far, *_) = far_addresses(client)
    for number in (1.0, 2.0):
        frame["x"] = number
        future = client.submit(total_fetched, shared.frame, workers=[far])
        assert future.result(timeout=WAIT_S) == number * ROWS
    unshare("frame")
    del future
    assert wait_until(lambda: is_restored(client), WAIT_S)


def test_each_task_with_a_live_argument_runs(client: Client, session: Session) -> None:
    numbers: list[int] = []
    share(numbers, "numbers", on=client)
    client.gather(client.map(append, [shared.numbers] * 3))
    futures = [client.submit(append, [{"to": shared.numbers}]) for _ in range(2)]
    client.gather(futures)
    assert numbers == [1] * 5


def test_what_dask_logs_of_a_task_has_no_secret(
    client: Client, session: Session
) -> None:
    share([1], "items", on=client)
    secret = repr(shared.items._duck_link.secret)[2:-1]
    kernel: Any = engine_of(client)._kernel
    with kernel.replaced(shared.items) as (reference, _):
        assert secret in repr(pickle.dumps(shared.items))
        assert secret in repr(pickle.dumps(reference))
        assert secret not in repr(reference)


def test_an_executor_and_containers_take_shared_objects(
    client: Client, frame: pd.DataFrame
) -> None:
    share(frame, "frame", on=client)
    with client.get_executor() as pool:
        assert list(pool.map(total, [frame] * 3)) == [ROWS] * 3
        assert pool.submit(total, frame).result(timeout=WAIT_S) == ROWS


def worker_here(frame: pd.DataFrame) -> tuple[int, float]:
    assert get_worker() is not None
    return os.getpid(), total(frame)


def test_a_worker_in_the_kernel_itself_gets_the_object(frame: pd.DataFrame) -> None:
    how: dict[str, Any] = {"processes": False, "dashboard_address": ":0"}
    with LocalCluster(n_workers=1, **how) as cluster, Client(cluster) as client:
        share(frame, "frame", on=client)
        found = client.submit(worker_here, frame).result(timeout=WAIT_S)
        assert found == (os.getpid(), ROWS)
        unshare("frame")
