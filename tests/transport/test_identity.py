"""
What a client says of itself.
"""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING, Any

import pytest
from distributed import LocalCluster

from duck_jupyter.transport.identity import (
    hello_here,
    name_of_worker,
    split_name,
    worker_here,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        ("inproc://10.0.0.1/17/4", "inproc://10.0.0.1/17/4", "10.0.0.1:10.0.0.1/17/4"),
    ],
)
def test_a_worker_is_named_as_people_know_it(
    address: str, name: object, shown: str
) -> None:
    assert name_of_worker(address, name) == shown


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("10.0.0.2:gpu-1", ("10.0.0.2", "gpu-1")),
        ("10.0.0.2:a:b", ("10.0.0.2", "a:b")),
        ("[::1]:a:b", ("[::1]", "a:b")),
        ("SpawnProcess-1", ("", "SpawnProcess-1")),
    ],
)
def test_a_name_has_a_host_and_a_worker(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_a_process_without_dask_has_its_own_name() -> None:
    hello = hello_here("client", 3, "SpawnProcess-1", 512)
    assert (hello.process_name, hello.worker) == ("SpawnProcess-1", "")
    assert (hello.pid, hello.thread, hello.bufsize) == (os.getpid(), 3, 512)


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """
    A cluster whose worker is in this process.
    """
    how: dict[str, Any] = {"processes": False, "dashboard_address": ":0"}
    with LocalCluster(n_workers=1, **how) as found:
        yield found


def test_a_worker_is_one_until_it_is_closed(cluster: LocalCluster) -> None:
    (worker,) = cluster.workers.values()
    assert worker_here() == (worker.address, name_of_worker(worker.address, 0))
    cluster.close()
    assert worker_here() == ("", "")


def test_a_forked_child_of_a_worker_is_none(cluster: LocalCluster) -> None:
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=lambda: answers.put(worker_here()))
    child.start()
    assert answers.get() == ("", "")
    child.join()
    answers.close()
