"""
The first call of a fresh worker: what it takes to meet the server.
"""

from __future__ import annotations

import multiprocessing
import pickle
import statistics
from typing import TYPE_CHECKING, Any

from . import workloads
from .table import Row, beside

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from .peers import Peer

__all__ = ["measure_first_calls"]

FORK = multiprocessing.get_context("fork")


def work(pipe: Connection, job: Callable[[Any], float], given: Any) -> None:
    """
    Be a worker: do one job and say what came of it.
    """
    pipe.send(job(given))


def run_in_fresh(job: Callable[[Any], float], given: Any) -> float:
    """
    Do a job in a worker that is forked for it.

    Args:
        job: What it does; the time is what it returns.
        given: What the worker inherits for it.
    """
    reader, writer = FORK.Pipe(duplex=False)
    worker = FORK.Process(target=work, args=(writer, job, given))
    worker.start()
    writer.close()
    with reader:
        took = float(reader.recv())
    worker.join()
    return took


def measure_first_calls(target: Any, peer: Peer, workers: int) -> list[Row]:
    """
    Measure the first call of forked workers, by turns of ours and the peer's.

    A Manager's proxy connects as soon as it is there, at the fork or when it is
    unpickled, to be counted; and once more at the first call. Ours connects at the
    first call only. So there are two rows: the call alone, and from the pickled proxy
    to the answer.

    Args:
        target: Our proxy of a `workloads.Target`.
        peer: The Manager.
        workers: How many of each kind.
    """
    sides = (target, peer.namespace)
    alone: tuple[list[float], list[float]] = ([], [])
    pickled: tuple[list[float], list[float]] = ([], [])
    for _ in range(workers):
        for i, side in enumerate(sides):
            alone[i].append(run_in_fresh(workloads.read_once, side))
            data = pickle.dumps(side)
            pickled[i].append(run_in_fresh(workloads.load_and_read, data))
    name = "first call of a fresh worker"
    rows = []
    for measure, times in ((name, alone), (f"{name}, with unpickling", pickled)):
        ours, theirs = map(statistics.median, times)
        rows.append(beside(measure, "us", ours, theirs, 1))
    return rows
