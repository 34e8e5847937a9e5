"""
A server and its workers in one version of the package, as a program of its own.

The benchmark starts it by the path of this file, with the checkout of a version first
on the path of modules. So it imports nothing of the benchmarks, and of the package only
what every version has.

It gets jobs through a pipe, forks workers for each, and sends back what they measured.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import threading
import time
import traceback
from array import array
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from duck_jupyter import locked, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["main"]

FORK = multiprocessing.get_context("fork")
#: All workers begin together, so long after the last one is ready.
HEAD_START_S = 0.1
#: Seconds for what takes moments, and those that a job may take beyond its time.
DEADLINE_S = 60.0
SMALL_BYTES = 1000
#: One call in so many takes the lock.
CALLS_PER_BLOCK = 10

_never = threading.Event()


class Target:
    """
    The object that is shared.
    """

    def __init__(self) -> None:
        self.a = 100
        self.value = 0
        self._answers: dict[int, bytes] = {}

    def add(self, x: int, y: int) -> int:
        """
        Add two numbers.
        """
        return x + y

    def data(self, size: int) -> bytes:
        """
        Give so many bytes, the same object each time.
        """
        if size not in self._answers:
            self._answers[size] = b"x" * size
        return self._answers[size]


class Subject:
    """
    What is measured: a shared object and its lock, of the package or of a Manager.

    Args:
        target: The object itself.
        proxy: What the workers use; None where only the lock is measured.
        lock: Gives a context manager that takes the lock.
    """

    def __init__(self, target: Target, proxy: Any, lock: Callable[[], Any]) -> None:
        self.target = target
        self.proxy = proxy
        self.lock = lock

    def take_lock(self) -> None:
        """
        Take the lock and release it.
        """
        with self.lock():
            pass

    # -- the jobs --------------------------------------------------------------------

    def time_reads(self, clients: int, seconds: float) -> float:
        """
        Read an attribute for some seconds, and give the median in seconds.
        """
        return median_of(clients, seconds, lambda: self.proxy.a)

    def time_calls(self, clients: int, seconds: float) -> float:
        """
        Call a method for some seconds, and give the median in seconds.
        """
        return median_of(clients, seconds, lambda: self.proxy.add(1, 2))

    def time_answers(self, size: int, seconds: float) -> float:
        """
        Ask for so many bytes, for some seconds; give the median in seconds.
        """
        return median_of(1, seconds, lambda: self.proxy.data(size))

    def count_blocks(self, processes: int, threads: int, seconds: float) -> list[int]:
        """
        Take the lock in all threads for some seconds, and count the blocks of each.
        """

        def count(end: float) -> int:
            blocks = 0
            while True:
                self.take_lock()
                if time.monotonic() > end:
                    return blocks
                blocks += 1

        counts = run_workers(processes, threads, seconds, self.take_lock, count)
        return [blocks for of_worker in counts for blocks in of_worker]

    def mix_calls(
        self, processes: int, threads: int, seconds: float
    ) -> tuple[float, float, list[int]]:
        """
        Call in all threads for some seconds, one in ten calls under the lock.

        Returns:
            The 99.9th percentile of the times of a call and the longest one, in
            seconds; and the number of calls of each worker.

        Raises:
            RuntimeError: An increment under the lock was lost.
        """
        proxy = self.proxy
        target = self.target
        target.value = 0

        def add_one() -> None:
            with self.lock():
                proxy.value += 1

        def write() -> None:
            proxy.a = 100

        calls = (
            *[lambda: proxy.a] * 3,
            *[lambda: proxy.add(1, 2)] * 3,
            *[write] * 2,
            lambda: proxy.data(SMALL_BYTES),
            add_one,
        )
        assert len(calls) == CALLS_PER_BLOCK

        def mix(end: float) -> array[float]:
            times = array("d")
            while True:
                for call in calls:
                    begun = time.monotonic()
                    call()
                    now = time.monotonic()
                    times.append(now - begun)
                if now > end:
                    return times

        found = run_workers(processes, threads, seconds, add_one, mix)
        by_worker = [sum(map(len, of_worker)) for of_worker in found]
        blocks = sum(by_worker) // CALLS_PER_BLOCK + processes * threads
        if target.value != blocks:
            raise RuntimeError(
                f"{blocks} increments under the lock must give {blocks}, not "
                f"{target.value}."
            )
        times = sorted(
            took for of_worker in found for of_thread in of_worker for took in of_thread
        )
        return times[int(0.999 * (len(times) - 1))], times[-1], by_worker


def median_of(clients: int, seconds: float, call: Callable[[], object]) -> float:
    """
    Let clients repeat a call at the same time, and give the median in seconds.
    """

    def repeat(end: float) -> array[int]:
        clock = time.monotonic_ns
        times = array("q")
        end_ns = int(end * 1e9)
        done = 0
        while done < end_ns:
            begun = clock()
            call()
            done = clock()
            times.append(done - begun)
        return times

    found = run_workers(clients, 1, seconds, call, repeat)
    median = statistics.median(took for (times,) in found for took in times)
    return float(median) / 1e9


def run_workers(
    processes: int,
    threads: int,
    seconds: float,
    warm: Callable[[], object],
    work: Callable[[float], Any],
) -> list[list[Any]]:
    """
    Fork workers whose threads begin together.

    Args:
        processes: How many workers.
        threads: How many threads each has.
        seconds: How long they work.
        warm: What each thread does before all begin, so that it is connected.
        work: Gets the moment of the monotonic clock when the work ends.

    Returns:
        For each worker what its threads returned.
    """
    workers, pipes = [], []
    for _ in range(processes):
        ours, theirs = FORK.Pipe()
        args = (theirs, threads, seconds, warm, work)
        worker = FORK.Process(target=be_worker, args=args, daemon=True)
        worker.start()
        theirs.close()
        workers.append(worker)
        pipes.append(ours)
    for pipe in pipes:
        receive(pipe, DEADLINE_S)
    start = time.monotonic() + HEAD_START_S
    for pipe in pipes:
        pipe.send(start)
    results = [receive(pipe, seconds + DEADLINE_S) for pipe in pipes]
    for worker, pipe in zip(workers, pipes, strict=True):
        worker.join()
        pipe.close()
    return results


def receive(pipe: Connection, deadline: float) -> Any:
    """
    Take what a worker sends; raise where it ended or takes longer than the deadline.
    """
    if not pipe.poll(deadline):
        raise RuntimeError(f"A worker did not answer within {deadline:g} s.")
    return pipe.recv()


def be_worker(
    pipe: Connection,
    threads: int,
    seconds: float,
    warm: Callable[[], object],
    work: Callable[[float], Any],
) -> None:
    """
    Be a worker, with so many threads.
    """
    starts: list[float] = []

    def meet_the_others() -> None:
        pipe.send("ready")
        starts.append(pipe.recv())

    gate = threading.Barrier(threads, action=meet_the_others)

    def run(_: int) -> Any:
        warm()
        gate.wait(DEADLINE_S)
        (start,) = starts
        _never.wait(start - time.monotonic())
        return work(start + seconds)

    with ThreadPoolExecutor(threads) as pool:
        pipe.send(list(pool.map(run, range(threads))))


@contextmanager
def subject_of(kind: str) -> Iterator[Subject]:
    """
    Make what is measured: of the package, or a Manager's lock.
    """
    target = Target()
    if kind == "manager":
        with FORK.Manager() as manager:
            lock = manager.Lock()
            yield Subject(target, None, lambda: lock)
    else:
        proxy = share(target, "target")
        yield Subject(target, proxy, lambda: locked(proxy))


def main(kind: str, descriptor: int) -> None:
    """
    Do jobs until the other end of the pipe is closed.

    Args:
        kind: ``"package"`` or ``"manager"``.
        descriptor: This end of the pipe.
    """
    with Connection(descriptor) as pipe, subject_of(kind) as subject:
        while True:
            try:
                job, args = pipe.recv()
            except EOFError:
                return
            try:
                answer = ("", getattr(subject, job)(*args))
            except Exception:  # whatever it is, the benchmark shows it
                answer = (traceback.format_exc(), None)
            pipe.send(answer)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
