"""
The code that runs on Dask's scheduler and on workers that may not have this package.

It is pickled with its code, so it imports nothing but Dask. The plugin holds no data
but the names of kernels.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from typing import Any

from distributed import SchedulerPlugin
from distributed.protocol.pickle import dumps

__all__ = [
    "CLIENTS",
    "LEFT",
    "VERSION_KEY",
    "DuckVersions",
    "package_version",
    "topic_of",
]

#: The keys of versions: ``duck-version-KERNEL-TOKEN-NUMBER``.
VERSION_KEY = "duck-version-"
#: The topic of workers that left.
LEFT = "duck-left"
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
        #: The name of each client's kernel.
        self.kernels: dict[str, str] = {}
        self.telling: set[asyncio.Task[Any]] = set()

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
            self.scheduler.log_event(topic_of(kernel), {"forgotten": key})

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        """
        Report a worker that left.
        """
        scheduler.log_event(LEFT, {"left": worker})

    def log_event(self, topic: str, msg: Any) -> None:
        """
        Note the kernel of a client.
        """
        if topic == CLIENTS:
            self.kernels[msg["client"]] = msg["kernel"]

    def remove_client(self, scheduler: Any, client: str) -> None:
        """
        Tell all workers that a kernel left: their tasks may wait for its answers.
        """
        kernel = self.kernels.pop(client, None)
        if kernel is not None:
            called = {"function": dumps(lose), "args": dumps((kernel,))}
            message = {"op": "run", "kwargs": dumps({}), **called}
            telling = scheduler.broadcast(msg=message, on_error="ignore")
            task = asyncio.ensure_future(telling)
            self.telling.add(task)  # asyncio itself may drop it
            task.add_done_callback(self.telling.discard)


def lose(kernel: str) -> None:
    """
    End the waiting of a worker's tasks for a kernel that left.
    """
    with contextlib.suppress(ImportError):
        worker = importlib.import_module("duck_jupyter.engines.dask_worker")
        worker.hear({"lost": kernel})


def package_version() -> str:
    """
    Return the version of this package in a worker, or "" if there is none.
    """
    try:
        return str(importlib.import_module("duck_jupyter").__version__)
    except ImportError:
        return ""
