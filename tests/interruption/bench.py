"""
The objects that operations are done on, and the proxies that a worker holds of them.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import weakref
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from duck_jupyter import share

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = 100_000
HUGE = 1_000_000
#: Long enough that a caller stops looking for the answer and waits for the bell, though
#: it is traced while it looks; in seconds.
PAUSE_S = 0.04
#: Several batches of a list.
NUMBERS = list(range(1500))
ITEMS = 5


def pattern(tag: str, size: int) -> bytes:
    """
    Give bytes that are nobody else's.
    """
    piece = f"<{tag}>".encode()
    return (piece * (size // len(piece) + 1))[:size]


class Child:
    """
    An object that is reached through the desk, and stays where it is.
    """

    def __init__(self, tag: str) -> None:
        self.tag = tag


class Desk:
    """
    Notes what was applied to it, by tags that are used once.
    """

    def __init__(self, applied: Counter[str]) -> None:
        self.applied = applied
        self._value = "nothing"
        #: Those that somebody holds.
        self.children: weakref.WeakSet[Child] = weakref.WeakSet()
        self._lock = threading.Lock()

    def _apply(self, tag: str) -> None:
        with self._lock:
            self.applied[tag] += 1

    @property
    def value(self) -> str:
        return self._value

    @value.setter
    def value(self, tag: str) -> None:
        self._apply(tag)
        self._value = tag

    def add(self, tag: str) -> str:
        self._apply(tag)
        return tag

    def add_slowly(self, tag: str) -> str:
        self._apply(tag)
        threading.Event().wait(PAUSE_S)
        return tag

    def take(self, tag: str, data: bytes) -> tuple[str, int, int]:
        self._apply(tag)
        return tag, len(data), zlib.crc32(data)

    def give(self, tag: str, size: int) -> bytes:
        self._apply(tag)
        return pattern(tag, size)

    def echo(self, value: Any) -> Any:
        return value

    def make_child(self, tag: str) -> Child:
        child = Child(tag)
        self.children.add(child)
        return child

    def times(self, tag: str) -> int:
        return self.applied[tag]


def receipt(tag: str, data: bytes) -> tuple[str, int, int]:
    """
    Give what `Desk.take` answers.
    """
    return tag, len(data), zlib.crc32(data)


def no_items() -> Iterator[str]:
    """
    Give a generator that has ended.
    """
    yield from ()


def make_array() -> Any:
    """
    Make the array that is fetched and handed over.
    """
    return np.arange(LARGE // 8, dtype=np.int64)


def is_array(array: Any) -> bool:
    """
    Tell whether an array is that one.
    """
    return bool(np.array_equal(array, make_array()))


class Kit(NamedTuple):
    """
    What a worker works with: proxies, or in the owner of the objects they themselves.
    """

    desk: Any
    lock: Any = None
    rlock: Any = None
    queue: Any = None
    numbers: Any = None
    stream: Any = None
    array: Any = None
    thing: Any = None


class Bench:
    """
    The objects, in the process that owns them, and their proxies.

    All of them belong to the session of this process, which the caller stops.
    """

    def __init__(self) -> None:
        self.array = make_array()
        self._applied: Counter[str] = Counter()
        self.renew()

    def renew(self) -> None:
        """
        Let other objects be shared: a step may have left these locked or broken.
        """
        self.desk = Desk(self._applied)
        self.lock = threading.Lock()
        self.rlock = threading.RLock()
        self.queue: queue.Queue[str] = queue.Queue()
        # Its proxies are of the type that it has when it is shared first.
        self.stream: Iterator[str] = no_items()
        self.kit = Kit(
            share(self.desk, "desk"),
            share(self.lock, "lock"),
            share(self.rlock, "rlock"),
            share(self.queue, "queue"),
            share(NUMBERS, "numbers"),
            share(self.stream, "stream"),
            share(self.array, "array"),
        )

    def drain(self) -> None:
        """
        Take what is left in the queue.
        """
        with contextlib.suppress(queue.Empty):
            while True:
                self.queue.get_nowait()

    def renew_stream(self, tag: str) -> list[str]:
        """
        Let the shared stream be a new generator, and give the items that it has.
        """
        items = [f"{tag}/{number}" for number in range(ITEMS)]
        self.stream = (item for item in items)
        share(self.stream, "stream")
        return items
