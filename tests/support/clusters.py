"""
A cluster of Dask for tests, whose scheduler and workers are processes of their own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from distributed import Client
from distributed.deploy.subprocess import SubprocessCluster

from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["WAIT_S", "another_worker", "dask_client"]

WAIT_S = 50.0


@contextlib.contextmanager
def dask_client(workers: int, threads: int) -> Iterator[Client]:
    """
    Give a client of a new cluster.

    Args:
        workers: The number of workers.
        threads: The threads of each.
    """
    how: dict[str, Any] = {
        "host": "127.0.0.1",
        "n_workers": workers,
        "threads_per_worker": threads,
        "dashboard_address": None,
    }
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        # Where older versions look for the command `dask`.
        folders = [str(Path(sys.executable).parent), os.environ["PATH"]]
        patch.setenv("PATH", os.pathsep.join(folders))
        cluster = stack.enter_context(SubprocessCluster(**how))
        client = stack.enter_context(Client(cluster))
        # First at the end: the cluster kills its workers, and then nobody removes the
        # semaphores of their nannies.
        stack.callback(_end, [worker.process for worker in cluster.workers.values()])
        client.wait_for_workers(workers, timeout=WAIT_S)
        yield client


def _end(processes: list[Any]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    wait_until(lambda: all(x.returncode is not None for x in processes), WAIT_S)


@contextlib.contextmanager
def another_worker(client: Client, name: str) -> Iterator[tuple[int, str]]:
    """
    Give the process and the address of a new worker of this host.
    """
    before = set(client.scheduler_info(n_workers=-1)["workers"])
    command = [sys.executable, "-m", "distributed.cli.dask_worker"]
    command += [client.scheduler_info()["address"], "--no-nanny", "--name", name]
    command += ["--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            client.wait_for_workers(len(before) + 1, timeout=WAIT_S)
            (new,) = set(client.scheduler_info(n_workers=-1)["workers"]) - before
            yield process.pid, new
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(WAIT_S)
