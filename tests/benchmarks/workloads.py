"""
What clients do, with any kind of proxy; the times are theirs.
"""

from __future__ import annotations

import pickle
import threading
import time
from array import array
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "ANSWER",
    "Target",
    "count_calls",
    "count_reads",
    "iterate",
    "load_and_read",
    "note_reads",
    "note_sums",
    "read_all",
    "read_once",
    "read_paced",
    "time_calls",
    "time_reads",
]

ANSWER = 100
CALLS_PER_READING = 10
READS_PER_NOTE = 100
#: Some milliseconds of work.
NUMBERS_PER_SUM = 50_000

_never = threading.Event()


class Target:
    """
    The object that is shared.
    """

    def __init__(self) -> None:
        self.a = ANSWER

    def add(self, x: int, y: int) -> int:
        """
        Add two numbers.
        """
        return x + y

    def sum_to(self, count: int) -> int:
        """
        Add up the numbers from 0 on, holding Python's lock like any code of a user's.
        """
        total = 0
        for number in range(count):
            total += number
        return total


def time_reads(target: Any, count: int) -> list[int]:
    """
    Read an attribute so many times.

    Returns:
        The time of each in nanoseconds.
    """
    clock = time.perf_counter_ns
    times = []
    value = None
    for _ in range(count):
        start = clock()
        value = target.a
        times.append(clock() - start)
    assert value == ANSWER
    return times


def time_calls(target: Any, count: int) -> list[int]:
    """
    Call a method so many times.

    Returns:
        The time of each in nanoseconds.
    """
    clock = time.perf_counter_ns
    times = []
    value = None
    for _ in range(count):
        start = clock()
        value = target.add(1, 2)
        times.append(clock() - start)
    assert value == 3
    return times


def count_calls(target: Any, start: float, seconds: float) -> float:
    """
    Call a method from one moment of the monotonic clock on, for some seconds.

    Returns:
        Calls a second.
    """
    _never.wait(start - time.monotonic())
    began = now = time.monotonic()
    calls = 0
    while now - began < seconds:
        for _ in range(CALLS_PER_READING):
            target.add(1, 2)
        calls += CALLS_PER_READING
        now = time.monotonic()
    return calls / (now - began)


def count_reads(target: Any, start: float, seconds: float) -> float:
    """
    Read an attribute from one moment of the monotonic clock on, for some seconds.

    Returns:
        Reads a second.
    """
    _never.wait(start - time.monotonic())
    began = now = time.monotonic()
    value = None
    reads = 0
    while now - began < seconds:
        for _ in range(CALLS_PER_READING):
            value = target.a
        reads += CALLS_PER_READING
        now = time.monotonic()
    assert value == ANSWER
    return reads / (now - began)


def note_reads(target: Any, seconds: float) -> array[float]:
    """
    Read an attribute for some seconds.

    Returns:
        When each batch of reads was over, in seconds of the monotonic clock.
    """

    def read() -> None:
        for _ in range(READS_PER_NOTE):
            target.a  # noqa: B018 - to read it is the work

    return note(read, seconds)


def note_sums(target: Any, seconds: float) -> array[float]:
    """
    Have sums added up in the kernel for some seconds.

    Returns:
        When each was over, in seconds of the monotonic clock.
    """
    return note(lambda: target.sum_to(NUMBERS_PER_SUM), seconds)


def note(work: Callable[[], Any], seconds: float) -> array[float]:
    """
    Work for some seconds, and note when each piece of it was done.
    """
    notes = array("d")
    end = time.monotonic() + seconds
    now = 0.0
    while now < end:
        work()
        now = time.monotonic()
        notes.append(now)
    return notes


def read_paced(target: Any, per_second: int, seconds: float) -> list[int]:
    """
    Read an attribute at a steady pace.

    Returns:
        The time of each in nanoseconds.
    """
    times = []
    began = time.monotonic()
    for i in range(int(per_second * seconds)):
        _never.wait(began + i / per_second - time.monotonic())
        times += time_reads(target, 1)
    return times


def read_all(targets: Sequence[Any]) -> None:
    """
    Read an attribute of each of many.
    """
    assert all(target.a == ANSWER for target in targets)


def read_once(target: Any) -> float:
    """
    Read an attribute.

    Returns:
        The time in microseconds.
    """
    return time_reads(target, 1)[0] / 1e3


def load_and_read(data: bytes) -> float:
    """
    Unpickle a target and read an attribute of it.

    Returns:
        The time in microseconds.
    """
    began = time.perf_counter_ns()
    target = pickle.loads(data)
    value = target.a
    took = time.perf_counter_ns() - began
    assert value == ANSWER
    return took / 1e3


def iterate(numbers: Any) -> float:
    """
    Go through a list of the numbers from 0 on.

    Returns:
        Seconds.
    """
    began = time.perf_counter()
    last = -1
    for last in numbers:  # noqa: B007 - what is checked is the last
        pass
    took = time.perf_counter() - began
    assert last == len(numbers) - 1
    return took
