"""
The code that runs on Dask's scheduler and on workers that may not have this package.

It is pickled with its code, so it imports nothing but Dask. The plugin holds no data
but the names of kernels.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
from typing import Any

from distributed import SchedulerPlugin
from distributed.protocol.pickle import dumps

__all__ = [
    "CLIENTS",
    "LEFT",
    "OPEN",
    "OVER_MEMORY",
    "SAID_BYE",
    "VERSION_KEY",
    "DuckRelay",
    "DuckVersions",
    "package_version",
    "topic_of",
]

#: The answer to a worker whose connection leads to a kernel now.
OPEN = "open"
#: Seconds in which a kernel accepts a connection.
ACCEPT_S = 10.0

#: The keys of versions: ``duck-version-KERNEL-TOKEN-NUMBER``.
VERSION_KEY = "duck-version-"
#: The topic of workers that left.
LEFT = "duck-left"
#: Why a worker leaves: its nanny ends it, or it closes by itself.
OVER_MEMORY = "over-memory"
SAID_BYE = "closing"
#: The topic of the clients of kernels.
CLIENTS = "duck-clients"


def topic_of(kernel: str) -> str:
    """
    Return the topic of the messages to a kernel.
    """
    return f"duck-{kernel}"


class DuckVersions(SchedulerPlugin):  # type: ignore[misc, unused-ignore]
    """
    Reports versions that no task can ask for any more, and who left.
    """

    name = "duck-versions"
    idempotent = True

    def __init__(self) -> None:
        #: The names of each client's kernel, and of clients that are being removed.
        self.kernels: dict[str, list[str]] = {}
        self.leaving: dict[str, list[str]] = {}
        self.telling: set[asyncio.Task[Any]] = set()
        #: Why workers leave, by address.
        self.ending: dict[str, str] = {}

    async def start(self, scheduler: Any) -> None:
        """
        Take the scheduler.
        """
        self.scheduler = scheduler

    def transition(
        self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any
    ) -> None:
        """
        Report a key that is forgotten: no future and no task needs it any more.
        """
        if (
            finish == "forgotten"
            and isinstance(key, str)
            and key.startswith(VERSION_KEY)
        ):
            kernel = key[len(VERSION_KEY) :].partition("-")[0]
            # Dask logs a message to a client that has left as a failure of its own.
            if not any(kernel in names for names in self.leaving.values()):
                self.scheduler.log_event(topic_of(kernel), {"forgotten": key})

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        """
        Report a worker that left.
        """
        cause = str(kwargs.get("stimulus_id", "")).rpartition("-")[0]
        why = self.ending.pop(worker, cause)
        scheduler.log_event(LEFT, {"left": worker, "why": why})

    def log_event(self, topic: str, msg: Any) -> None:
        """
        Note the names of a client's kernel, and why a worker is about to leave.
        """
        if topic == CLIENTS:
            self.kernels[msg["client"]] = msg["kernels"]
        elif isinstance(msg, dict):
            if topic == "worker-restart-memory":
                self.note(msg.get("worker"), OVER_MEMORY)
            elif msg.get("action") == "closing-worker":
                self.note(topic, SAID_BYE)
            elif msg.get("action") == "remove-client":
                # Next, what only this client needs is forgotten.
                self.leaving[topic] = self.kernels.get(topic, [])

    def note(self, worker: Any, why: str) -> None:
        """
        Note why a worker leaves; the first reason counts.
        """
        if worker in self.scheduler.workers:
            self.ending.setdefault(worker, why)

    def remove_client(self, scheduler: Any, client: str) -> None:
        """
        Tell all workers that a kernel left: their tasks may wait for its answers.
        """
        self.leaving.clear()
        names = self.kernels.pop(client, None)
        if names is not None:
            called = {"function": dumps(lose), "args": dumps((names,))}
            message = {"op": "run", "kwargs": dumps({}), **called}
            telling = scheduler.broadcast(msg=message, on_error="ignore")
            task = asyncio.ensure_future(telling)
            self.telling.add(task)  # asyncio itself may drop it
            task.add_done_callback(self.telling.discard)


def lose(names: list[str]) -> None:
    """
    End the waiting of a worker's tasks for a kernel that left.
    """
    with contextlib.suppress(ImportError):
        worker = importlib.import_module("duck_jupyter.engines.dask_worker")
        worker.hear({"lost": names})


class DuckRelay(SchedulerPlugin):  # type: ignore[misc, unused-ignore]
    """
    Joins the connections of workers with those of kernels that they cannot reach.

    It passes bytes on, and keeps none. The kernel and the worker prove to each other
    that they know a secret, which this never sees.
    """

    name = "duck-relay"
    idempotent = True

    async def start(self, scheduler: Any) -> None:
        """
        Take the scheduler.
        """
        self.kernels: dict[str, tuple[Any, asyncio.Lock]] = {}
        self.waiting: dict[int, asyncio.Future[Any]] = {}
        self.numbers: itertools.count[int] = itertools.count(1)
        scheduler.handlers["duck_kernel"] = self.kernel
        scheduler.handlers["duck_accept"] = self.accept
        scheduler.handlers["duck_connect"] = self.connect

    async def kernel(self, comm: Any, kernel: str) -> None:
        """
        Keep the connection on which a kernel hears of workers.
        """
        self.kernels[kernel] = comm, asyncio.Lock()
        try:
            # It is reported when the connection ends.
            with contextlib.suppress(OSError):
                while True:
                    await comm.read()
        finally:
            if self.kernels.get(kernel, (None,))[0] is comm:
                del self.kernels[kernel]
            comm.abort()

    async def connect(self, comm: Any, kernel: str) -> None:
        """
        Join the connection of a worker with one of a kernel.
        """
        number = next(self.numbers)
        future = self.waiting[number] = asyncio.get_running_loop().create_future()
        try:
            control, lock = self.kernels[kernel]
            async with lock:
                await control.write(number)
            other, over = await asyncio.wait_for(future, ACCEPT_S)
            try:
                await comm.write("open")
                await join(comm, other)
            finally:
                over.set()
        except (OSError, KeyError, asyncio.TimeoutError):
            pass  # the kernel or the worker has left
        finally:
            self.waiting.pop(number, None)
            comm.abort()

    async def accept(self, comm: Any, number: int) -> None:
        """
        Take the connection that a kernel has made for a worker.
        """
        over = asyncio.Event()
        future = self.waiting.pop(number, None)
        if future is not None and not future.done():
            future.set_result((comm, over))
            await over.wait()
        comm.abort()


async def join(one: Any, other: Any) -> None:
    """
    Pass on what arrives at either of two connections, until one of them ends.
    """

    async def forward(source: Any, target: Any) -> None:
        with contextlib.suppress(OSError):
            while True:
                await target.write(await source.read())

    tasks = [
        asyncio.ensure_future(forward(one, other)),
        asyncio.ensure_future(forward(other, one)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        one.abort()
        other.abort()


def package_version() -> str:
    """
    Return the version of this package in a worker, or "" if there is none.
    """
    try:
        return str(importlib.import_module("duck_jupyter").__version__)
    except ImportError:
        return ""
