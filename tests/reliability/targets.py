"""
The objects that a round shares. They note, in the server's process, what is done.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from duck_jupyter import locked, share, unshare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = [
    "Board",
    "Items",
    "Lock",
    "Proxies",
    "Targets",
    "answer_to",
    "make_targets",
    "pattern",
    "serve",
]

SAMPLE_BYTES = 60


def pattern(tag: str, size: int) -> bytes:
    """
    Give bytes that belong to one call alone.
    """
    unit = f"{tag}|".encode()
    return (unit * (size // len(unit) + 1))[:size]


def answer_to(tag: str) -> str:
    """
    Give the right answer of `Board.add`, which is that to no other call.
    """
    return f"added {tag}"


class Board:
    """
    An object whose changes are counted by the tags of the calls that made them.
    """

    def __init__(self) -> None:
        self.applied: Counter[str] = Counter()
        self.wrong: list[str] = []
        #: Changed by workers in two steps, inside `locked` and inside a lock.
        self.number = 0
        self.guarded = 0
        self._lock = threading.Lock()

    def echo(self, payload: bytes) -> bytes:
        return payload

    def add(self, tag: str) -> str:
        with self._lock:
            self.applied[tag] += 1
        return answer_to(tag)

    def give(self, tag: str, size: int) -> bytes:
        return pattern(tag, size)

    def take(self, tag: str, payload: Any) -> str:
        """
        Take bytes, or an array of them, that should be the pattern of the tag.
        """
        data = bytes(payload)
        if data != pattern(tag, len(data)):
            self.wrong.append(f"take {tag} got {data[:SAMPLE_BYTES]!r}")
        return self.add(tag)


class Items(queue.Queue[int]):
    """
    A queue that notes when each item was last handed out, in monotonic seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.handed: dict[int, float] = {}

    def feed(self) -> None:
        """
        Put the next number in.
        """
        self.count += 1
        self.put(self.count)

    def _get(self) -> int:
        item = super()._get()
        self.handed[item] = time.monotonic()
        return item

    def waiting(self) -> set[int]:
        """
        Give the items that are in the queue.
        """
        with self.mutex:
            return set(self.queue)


class Stream:
    """
    A generator's numbers, and how many it gave.
    """

    def __init__(self) -> None:
        self.count = 0

    def numbers(self) -> Iterator[int]:
        while True:
            self.count += 1
            yield self.count


class Lock(Protocol):
    """
    What a lock can do.
    """

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """
        Take it.
        """

    def release(self) -> None:
        """
        Give it back.
        """


class Targets(NamedTuple):
    """
    The objects themselves.
    """

    board: Board
    items: Items
    stream: Stream
    gate: threading.Lock
    #: One for each worker at a time.
    latches: list[Lock]


class Proxies(NamedTuple):
    """
    What a worker gets of them.
    """

    board: Any
    items: Any
    stream: Any
    gate: Any
    latches: list[Any]
    locked: Callable[..., AbstractContextManager[Any]]


def make_targets(workers: int) -> Targets:
    """
    Make the objects of a round.
    """
    latches: list[Lock] = [threading.Lock() for _ in range(workers)]
    return Targets(Board(), Items(), Stream(), threading.Lock(), latches)


@contextmanager
def serve(targets: Targets) -> Iterator[Proxies]:
    """
    Share the objects as a notebook does.
    """
    latches = [share(one, f"latch{i}") for i, one in enumerate(targets.latches)]
    proxies = Proxies(
        share(targets.board, "board"),
        share(targets.items, "items"),
        share(targets.stream.numbers(), "stream"),
        share(targets.gate, "gate"),
        latches,
        locked,
    )
    yield proxies
    unshare(*proxies[:4], *latches)
