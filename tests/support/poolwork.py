"""
What workers of pools do in tests.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Slow",
    "call",
    "compute",
    "compute_and_call",
    "convolve",
    "die",
    "factor",
    "fail_at",
    "fail_or_wait",
    "get_pid",
    "give_cut",
    "give_deadly",
    "give_nested",
    "multiplied",
    "nest",
    "rest",
    "spin",
    "stubborn",
    "wait_for",
]


#: What `multiplied` multiplies by.
factor = 1


def multiplied(function: Callable[[int], int]) -> Callable[[int], int]:
    def call_and_multiply(i: int) -> int:
        return factor * function(i)

    return call_and_multiply


def get_pid(_: object = None) -> int:
    return os.getpid()


def rest(path: str, seconds: float = 60.0) -> None:
    """
    Say that the task has begun, and wait for long.
    """
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    threading.Event().wait(seconds)


def spin(path: str) -> None:
    """
    Say that the task has begun, and compute for long.
    """
    rest(path, 0)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass


def stubborn(path: str) -> None:
    """
    Say that the task has begun, and ignore KeyboardInterrupt.
    """
    end = time.monotonic() + 60
    rest(path, 0)
    while time.monotonic() < end:
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait(60)


def convolve(path: str) -> None:
    """
    Say that the task has begun, and be in one call of NumPy for long.
    """
    import numpy as np

    long = np.ones(400_000)
    rest(path, 0)
    np.convolve(long, long)


def call(path: str, method: Callable[[], object]) -> None:
    """
    Say that the task has begun, and call a method that blocks.
    """
    rest(path, 0)
    method()


def die(number: int = signal.SIGKILL, *_: object) -> None:
    """
    End this worker as from outside.
    """
    os.kill(os.getpid(), number)
    threading.Event().wait(60)


def wait_for(path: str) -> str:
    """
    Wait until there is a file.
    """
    end = time.monotonic() + 60
    while not Path(path).exists() and time.monotonic() < end:
        threading.Event().wait(0.02)
    return "it went on"


def die_at(number: int, *_: object) -> int:
    """
    End this worker at one of many items.
    """
    # So slow that each item is noted.
    threading.Event().wait(0.001)
    if number == 47:
        die()
    return number


def die_fat(size: int) -> None:
    """
    End this worker some time after it has taken memory, in bytes.
    """
    memory = bytearray(b"x") * size
    threading.Event().wait(1)
    die(signal.SIGKILL, memory)


def say_after(path: str) -> None:
    """
    Print once there is a file.
    """
    wait_for(path)
    print("said after", flush=True)  # noqa: T201 - what is tested


def say_pid(_: object = None) -> None:
    print("here is", os.getpid())  # noqa: T201 - what is tested
    threading.Event().wait(0.01)


def say_and_rest() -> None:
    print("at work", flush=True)  # noqa: T201 - what is tested
    threading.Event().wait(60)


def fail_at(number: int) -> int:
    """
    Raise for one of many items.
    """
    if number == 47:
        raise ValueError("no such number")
    return number


def fail_or_wait(number: int) -> None:
    """
    Raise for 1, and wait for long for others.
    """
    if number == 1:
        raise KeyError("one")
    threading.Event().wait(60)


def compute(seconds: float) -> tuple[int, float]:
    """
    Compute for a time; give the worker and the seconds that it took.
    """
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        pass
    return os.getpid(), time.monotonic() - began


def compute_and_call(proxy: Any, seconds: float) -> tuple[float, float]:
    """
    Compute for a time, then call a proxy; give the seconds of both.
    """
    _, computed = compute(seconds)
    began = time.monotonic()
    proxy.look_up()
    return computed, time.monotonic() - began


class Slow:
    """
    Takes its time in the kernel.
    """

    def look_up(self) -> int:
        threading.Event().wait(0.03)
        return 1


def nest(number: int) -> int:
    """
    Use a pool of one's own.
    """
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        threads.submit(int).result(20)
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        return sum(pool.map(abs, range(number)))


class Deadly:
    """
    Ends the worker that sends it.
    """

    def __reduce__(self) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return "never"


def give_deadly(number: int) -> Deadly | None:
    """
    Give, for 47, what ends the worker when it is sent.
    """
    return Deadly() if number == 47 else None


def give_cut(size: int) -> bytes:
    """
    Give bytes, and end the process in the midst of the message with them.
    """
    send: Any = Connection._send  # type: ignore[attr-defined]

    def send_half(connection: Connection, data: Any) -> None:
        if len(data) < size:
            send(connection, data)
        else:
            send(connection, data[: size // 2])
            os.kill(os.getpid(), signal.SIGKILL)

    Connection._send = send_half  # type: ignore[attr-defined]
    return bytes(size)


def give_nested(_: int) -> list[object]:
    def nested() -> None:
        pass

    return [nested]
