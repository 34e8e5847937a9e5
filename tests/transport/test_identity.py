"""
What a client says of itself.
"""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from duck_jupyter.transport.identity import (
    hello_here,
    name_of_worker,
    worker_here,
)

ADDRESS = "tls://10.0.0.2:37001"


@pytest.mark.parametrize(
    ("address", "name", "shown"),
    [
        (ADDRESS, ADDRESS, "10.0.0.2:37001"),
        (ADDRESS, "tls://10.0.0.2:40000", "10.0.0.2:37001"),
        (ADDRESS, "gpu-1", "10.0.0.2:gpu-1"),
        ("tcp://127.0.0.1:37001", 0, "127.0.0.1:0"),
        ("tcp://[::1]:37001", "a", "[::1]:a"),
        ("inproc://10.0.0.1/17/4", 0, "10.0.0.1:0"),
    ],
)
def test_a_worker_is_named_as_people_know_it(
    address: str, name: object, shown: str
) -> None:
    assert name_of_worker(address, name) == shown


def test_a_process_without_dask_has_its_own_name() -> None:
    hello = hello_here("client", 3, "SpawnProcess-1", 512)
    assert (hello.process_name, hello.worker) == ("SpawnProcess-1", "")
    assert (hello.pid, hello.thread, hello.bufsize) == (os.getpid(), 3, 512)


@pytest.mark.parametrize("is_child", [False, True])
def test_a_forked_child_of_a_worker_is_none(
    monkeypatch: pytest.MonkeyPatch, is_child: bool
) -> None:
    pid = os.getppid() if is_child else os.getpid()
    monitor = SimpleNamespace(proc=SimpleNamespace(pid=pid))
    worker = SimpleNamespace(monitor=monitor, address=ADDRESS, name="gpu-1")
    module = SimpleNamespace(Worker=SimpleNamespace(_instances=[worker]))
    monkeypatch.setitem(sys.modules, "distributed.worker", module)
    found = ("", "") if is_child else (ADDRESS, "10.0.0.2:gpu-1")
    assert worker_here() == found
