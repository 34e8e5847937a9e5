"""
What is lost on the way to a cluster of Dask: a kernel, a connection, a worker.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as ThreadEvent
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from distributed import Client, LocalCluster, get_worker

from duck_jupyter import share, shared, unshare
from duck_jupyter.engines.arrivals import drop
from duck_jupyter.engines.dask import WRAPPED, DaskEngine, engine_of
from duck_jupyter.engines.dask_check import check_cluster
from duck_jupyter.engines.dask_scheduler import (
    CLIENTS,
    VERSION_KEY,
    DuckVersions,
    topic_of,
)
from duck_jupyter.engines.dask_worker import ANSWER_S, ask
from duck_jupyter.errors import NotShareable, ProxyError
from tests.support.clusters import WAIT_S, dask_client
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.session.session import Session

pytestmark = pytest.mark.slow

#: A kernel whose task waits for an answer that never comes.
KERNEL = """
import sys
import numpy as np
from distributed import Client
from duck_jupyter import share
from duck_jupyter.engines.dask import engine_of
from tests.engines.test_dask_losses import note_the_error

client = Client(sys.argv[1])
array = np.ones(10_000)
share(array, "array", on=client)
engine = engine_of(client)
name = engine._name if sys.argv[2] == "a version" else engine._kernel.name
client.submit(note_the_error, name, *sys.argv[3:]).result()
"""


@pytest.fixture(scope="module")
def client(own_folders: None) -> Iterator[Client]:
    """
    Give a client of a cluster with one worker.
    """
    with dask_client(1, 2) as client:
        yield client


@pytest.fixture
def array(session: Session) -> Any:
    """
    An array of the notebook.
    """
    return np.zeros(10_000)


def note_the_error(kernel: str, began: str, ended: str) -> None:
    """
    Ask a kernel that does not answer, and write the name of the error to a file.
    """
    Path(began).touch()
    try:
        ask(get_worker(), kernel, b"")
    except ProxyError as error:
        Path(ended + "~").write_text(type(error).__name__)
        Path(ended + "~").rename(ended)


def is_restored(client: Client) -> bool:
    return not vars(client).keys() & WRAPPED.keys()


@pytest.mark.parametrize("by", ["a version", "a fetch"])
def test_a_task_that_waits_for_a_killed_kernel_ends_at_once(
    client: Client, tmp_path: Path, by: str
) -> None:
    began, ended = tmp_path / "began", tmp_path / "ended"
    address = client.scheduler_info()["address"]
    command = [sys.executable, "-c", KERNEL, address, by, str(began), str(ended)]
    # A killed process leaves the folder of its socket.
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        env = {**os.environ, "TMPDIR": folder}
        with subprocess.Popen(command, env=env) as kernel:
            try:
                assert wait_until(began.exists, WAIT_S)
            finally:
                kernel.kill()
    assert wait_until(ended.exists, ANSWER_S / 6)
    assert ended.read_text() == "KernelGone"


def lose_the_connection(client: Client) -> None:
    """
    Break the connection to the scheduler; Dask makes another one.
    """
    before: Any = client.scheduler_comm
    loop: Any = client.loop
    loop.add_callback(before.comm.abort)

    def is_new() -> bool:
        now = client.scheduler_comm
        return client.status == "running" and now not in (None, before)

    assert wait_until(is_new, WAIT_S)


def test_versions_are_released_after_the_connection_was_lost(
    client: Client, array: Any
) -> None:
    share(array, "array", on=client)
    kernel: Any = engine_of(client)._kernel
    futures = []
    for number in range(3):
        array[:] = number
        futures.append(client.submit(np.max, array))
    assert client.gather(futures) == [0.0, 1.0, 2.0]
    assert len(kernel._kept) == 3

    lose_the_connection(client)
    # The newest version is still in use, and the others cannot be asked for.
    future = client.submit(np.max, array)
    assert future.result(timeout=WAIT_S) == 2.0
    assert wait_until(lambda: len(kernel._kept) == 1, WAIT_S)
    array[:] = 3.0
    assert client.submit(np.max, array).result(timeout=WAIT_S) == 3.0

    del futures, future
    unshare("array")
    assert wait_until(lambda: is_restored(client), WAIT_S)


def test_tasks_ask_after_the_connection_was_lost(client: Client, array: Any) -> None:
    share(array, "array", on=client)
    before = engine_of(client)._name
    lose_the_connection(client)
    assert client.submit(len, shared.array).result(timeout=WAIT_S) == 10_000
    after = engine_of(client)._name
    assert after != before
    # A request of three bytes that the kernel answers with nothing.
    request = b"\x92\xa4done\xa0"
    asked = client.submit(ask_in_task, after, request)
    assert asked.result(timeout=WAIT_S) == b""
    assert client.submit(ask_in_task, before, request).result(timeout=WAIT_S) is None


def ask_in_task(kernel: str, request: bytes) -> bytes | None:
    try:
        return ask(get_worker(), kernel, request)
    except ProxyError:
        return None


def test_a_client_that_dask_gives_up_gives_everything_back(array: Any) -> None:
    how: dict[str, Any] = {
        "processes": False,
        "n_workers": 1,
        "dashboard_address": ":0",
    }
    with LocalCluster(**how) as cluster:
        client = Client(cluster, timeout=1, set_as_default=False)
        share(array, "array", on=client)
        kernel: Any = engine_of(client)._kernel
        future = client.submit(np.max, array)
        assert future.result(timeout=WAIT_S) == 0.0
        tokens = list(kernel._kept)
        assert len(tokens) == 1
    assert wait_until(lambda: client.status == "closed", WAIT_S)
    assert wait_until(lambda: is_restored(client), WAIT_S)
    assert not kernel._kept
    with pytest.raises(Exception, match=r"[Cc]losed"):
        client.submit(np.max, array)
    client.close()
    # The worker was in this process, and would keep its mapping for five seconds.
    drop(tokens)


class LeavingKernel:
    """
    A kernel whose worker leaves while it answers.
    """

    name = "kernel"

    def __init__(self, engine: DaskEngine) -> None:
        self.engine = engine
        self.heard: list[str] = []

    def answer(self, sender: str, request: bytes) -> bytes:
        """
        Note the request, after the worker has left.
        """
        self.engine._on_event((0.0, {"left": sender}))
        self.heard.append("asked")
        return b""

    def left(self, sender: str) -> None:
        """
        Note that a worker left.
        """
        self.heard.append("left")


def test_a_worker_that_leaves_while_it_is_answered_is_noted_last() -> None:
    engine = DaskEngine(None)
    kernel: Any = LeavingKernel(engine)
    engine._serve(kernel, {"worker": "tcp://a", "ask": "1", "data": b""}, 0)
    assert kernel.heard == ["asked", "left"]


class Closing:
    """
    A client that another thread closes while it is asked.
    """

    asynchronous = False
    scheduler_comm: Any = object()

    def __init__(self) -> None:
        self.status = "running"

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        """
        Fail as a client of Dask that was closed.
        """
        self.status = "closed"
        raise RuntimeError("ConnectionPool is closed")


def test_a_client_that_is_closed_while_an_object_is_shared_is_named() -> None:
    with pytest.raises(NotShareable, match=r"its status is 'closed'.*Client\(ADDRESS"):
        check_cluster(Closing(), insecure=True)


class Scheduler:
    """
    Notes the topics of its events.
    """

    def __init__(self) -> None:
        self.topics: list[str] = []

    def log_event(self, topic: str, message: Any) -> None:
        """
        Note a topic.
        """
        self.topics.append(topic)

    async def broadcast(self, **how: Any) -> None:
        """
        Note that all workers are told.
        """
        self.topics.append("workers")


def test_a_client_that_is_removed_is_told_nothing() -> None:
    asyncio.run(remove_a_client())


async def remove_a_client() -> None:
    plugin, scheduler = DuckVersions(), Scheduler()
    await plugin.start(scheduler)
    for client in "ab":
        plugin.log_event(CLIENTS, {"client": client, "kernels": [f"kernel.{client}"]})
    plugin.log_event("a", {"action": "remove-client", "client": "a"})
    for client in "ab":
        key = f"{VERSION_KEY}kernel.{client}-token-1"
        plugin.transition(key, "memory", "forgotten")
    assert scheduler.topics == [topic_of("kernel.b")]
    plugin.remove_client(scheduler, "a")
    await asyncio.gather(*plugin.telling)
    assert scheduler.topics == [topic_of("kernel.b"), "workers"]
    assert list(plugin.kernels) == ["b"]


class Sent:
    """
    Notes what is sent to all workers.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.may_send = ThreadEvent()

    def call_all(self, function: Any, message: dict[str, Any]) -> None:
        """
        Note a message when it may be sent.
        """
        assert self.may_send.wait(WAIT_S)
        self.messages.append(message)


def test_what_waits_to_be_told_is_one_message() -> None:
    engine, sent = DaskEngine(None), Sent()
    engine._sender = sent  # type: ignore[assignment]
    with ThreadPoolExecutor(1) as engine._teller:
        engine.tell({"drop": ["0"]})
        assert wait_until(lambda: not engine._untold, WAIT_S)
        for token in "1234":
            engine.tell({"drop": [token]})
        engine.tell({"lost": ["kernel"]})
        engine.tell({"lost": ["other"]})
        sent.may_send.set()
    assert sent.messages == [
        {"drop": ["0"]},
        {"drop": ["1", "2", "3", "4"], "lost": ["kernel", "other"]},
    ]


def test_the_options_of_dask_are_left_alone(client: Client, session: Session) -> None:
    # Larger than what is sent in place of a handle.
    workers = list(client.scheduler_info()["workers"]) * 50
    share(workers, "workers", on=client)
    future = client.submit(len, workers, workers=workers)
    assert future.result(timeout=WAIT_S) == len(workers)
    futures = client.map(len, [workers], workers=workers)
    assert client.gather(futures) == [len(workers)]
