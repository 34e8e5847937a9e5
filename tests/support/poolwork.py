"""
What workers of pools do in tests.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "call",
    "compute",
    "die",
    "get_pid",
    "give_deadly",
    "rest",
    "spin",
    "stubborn",
    "wait_for",
]


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


def compute(path: str) -> None:
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
