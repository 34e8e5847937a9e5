"""
The workers of a pool end soon after their kernel was killed.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from duck_jupyter.client.orphans import GRACE_S
from duck_jupyter.errors import KernelGone
from duck_jupyter.proxy import ProxyServer
from tests.support.processes import ROOT, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

#: What the README promises, and what a busy machine needs.
ENDED_S = 2.0

KERNEL = """
import multiprocessing, os, sys, threading
from concurrent.futures import ProcessPoolExecutor
from duck_jupyter import share

class Store:
    def wait(self):
        threading.Event().wait()

    def give(self):
        return bytes(50_000_000)

if __name__ == "__main__":
    kind, method, name = sys.argv[1:]
    store = share(Store(), "store")
    context = multiprocessing.get_context(method)
    from tests.processes.test_orphans import ask_for_ever
    if kind == "executor":
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            for asked in [pool.submit(ask_for_ever, store, name) for _ in range(2)]:
                asked.result()
    else:
        with context.Pool(2) as pool:
            pool.starmap(ask_for_ever, [(store, name)] * 2)
"""


def ask_for_ever(store: object, name: str) -> None:
    """
    Say which process this is, and ask.
    """
    sys.stdout.write(f"{psutil.Process().pid}\n")
    sys.stdout.flush()
    while True:
        getattr(store, name)()


@contextmanager
def ended(workers: list[psutil.Process]) -> Iterator[None]:
    try:
        yield
    finally:
        for worker in workers:
            if worker.is_running():
                worker.kill()


def is_over(worker: psutil.Process) -> bool:
    try:
        return not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize(
    ("kind", "method", "name"),
    [
        ("executor", "fork", "wait"),
        ("executor", "fork", "give"),
        ("executor", "forkserver", "wait"),
        ("executor", "spawn", "give"),
        ("pool", "fork", "give"),
        ("pool", "spawn", "wait"),
    ],
)
def test_pool_workers_that_wait_end_soon_after_their_kernel(
    kind: str, method: str, name: str, tmp_path: Path
) -> None:
    script = tmp_path / "kernel.py"
    script.write_text(KERNEL, encoding="utf-8")
    kernel = subprocess.Popen(
        [sys.executable, str(script), kind, method, name],
        cwd=ROOT,
        env={**psutil.Process().environ(), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert kernel.stdout is not None
    with kernel.stdout:
        pids = [int(kernel.stdout.readline()) for _ in range(2)]
        workers = [psutil.Process(pid) for pid in pids]
        with ended(workers):
            # In the middle of what it asks.
            busy = [worker.cpu_times().user for worker in workers]
            assert wait_until(
                lambda: (
                    name == "wait"
                    or all(
                        worker.cpu_times().user > before
                        for worker, before in zip(workers, busy, strict=True)
                    )
                )
            )
            kernel.kill()
            kernel.wait()
            killed = time.monotonic()
            assert wait_until(lambda: all(map(is_over, workers)))
            assert time.monotonic() - killed < ENDED_S + 2


def read(store: Any) -> Any:
    """
    Use a proxy in a pool's worker.
    """
    return store.value


class Store:
    value = 3


def test_a_server_that_stops_ends_no_worker() -> None:
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        with ProxyServer() as server:
            proxy = server.create_proxy(Store())
            assert pool.submit(read, proxy).result() == 3
        worker = psutil.Process(pool.submit(os.getpid).result())
        with pytest.raises(KernelGone):
            pool.submit(read, proxy).result()
        assert not wait_until(lambda: is_over(worker), GRACE_S + 0.5)
        assert pool.submit(os.getpid).result() == worker.pid
