"""
What the serving process does meanwhile: files of its own, food for the queue, locks.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.blocks import list_nameless
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from typing_extensions import Self

    from .targets import Lock, Proxies, Targets

__all__ = ["Background", "Resources", "find_taken"]

FILES = 40
GOOD = b"data of the notebook's user\n" * 40
READ_BYTES = 2_000_000
PAUSE_S = 0.0003
#: Items that wait at most; how long the queue is not fed now and then, and how often.
PLENTY = 3
HUNGER_S = 0.1
HUNGRY = 0.03
FEED_S = 0.003
HOLD_S = 0.003
TRY_S = 0.05


class Background:
    """
    The threads of the serving process that use files, the queue and the locks.

    Args:
        targets: The objects.
        folder: Where files may be.
        seed: What its choices come from.
    """

    def __init__(self, targets: Targets, folder: Path, seed: int) -> None:
        #: What was found in files that it did not write.
        self.touched: list[str] = []
        self.checked = 0
        self._targets = targets
        self._folder = folder
        self._chosen = random.Random(f"background {seed}")
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=job, daemon=True)
            for job in (self._write, self._feed)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        while not self._ended.wait(PAUSE_S):
            files = []
            for i in range(FILES):
                path = self._folder / f"{i}.own"
                files.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
                self._use(files[-1], lambda file: os.write(file, GOOD))
                if i % 8 == 0:
                    self._ended.wait(PAUSE_S)
            for file in files:
                self._use(file, self._check)
                self._use(file, os.close)
                self.checked += 1

    def _use(self, file: int, action: Callable[[int], object]) -> None:
        try:
            action(file)
        except OSError as error:
            # Somebody else has closed it.
            self.touched.append(f"{error}")

    def _check(self, file: int) -> None:
        found = os.pread(file, READ_BYTES, 0)
        if found != GOOD:
            self.touched.append(f"{len(found):,} bytes, the first are {found[:40]!r}")

    def _feed(self) -> None:
        items, chosen = self._targets.items, self._chosen
        locks: list[Lock] = [self._targets.gate, *self._targets.latches]
        wait_s = 0.0
        while not self._ended.wait(wait_s):
            if items.qsize() < PLENTY:
                items.feed()
            wait_s = chosen.expovariate(1 / FEED_S)
            if chosen.random() < HUNGRY:
                wait_s = HUNGER_S
            lock = chosen.choice(locks)
            if chosen.random() < 0.2 and lock.acquire(timeout=TRY_S):
                self._ended.wait(chosen.uniform(0, HOLD_S))
                lock.release()


def find_taken(
    targets: Targets, proxies: Proxies, patience_s: float, known: Collection[str] = ()
) -> set[str]:
    """
    Find the locks that do not become free.

    Args:
        targets: The objects.
        proxies: Those of the serving process.
        patience_s: Seconds.
        known: Those that are not asked for once more.

    Returns:
        The names of all that are taken.
    """
    plain: dict[str, Lock] = {"gate": targets.gate}
    plain |= {f"latch {i}": latch for i, latch in enumerate(targets.latches)}
    taken = {"locked", *plain}.difference(known)

    def are_free() -> bool:
        taken.difference_update([name for name in taken if is_free(name)])
        return not taken

    def is_free(name: str) -> bool:
        if name != "locked":
            return _can_take(plain[name])
        try:
            with proxies.locked(proxies.board, timeout=TRY_S):
                return True
        except TimeoutError:
            return False

    wait_until(are_free, patience_s)
    return taken.union(known)


def _can_take(lock: Lock) -> bool:
    if not lock.acquire(timeout=TRY_S):
        return False
    lock.release()
    return True


class Resources:
    """
    The descriptors and the nameless blocks of this process, when it was made.
    """

    def __init__(self) -> None:
        self._descriptors = count_descriptors()
        self._blocks = list_nameless()

    def find_more(self) -> tuple[Counter[str], set[str]]:
        """
        Give what descriptors, by kind, and which blocks there are more now.
        """
        return count_descriptors() - self._descriptors, list_nameless() - self._blocks


def count_descriptors() -> Counter[str]:
    """
    Count this process's open files by what they are.
    """
    return Counter(filter(None, map(_kind_of, Path("/proc/self/fd").iterdir())))


def _kind_of(entry: Path) -> str:
    try:
        # Sockets, pipes and blocks have numbers of their own.
        return str(entry.readlink()).partition(":[")[0].partition(" (")[0]
    except OSError:
        # The descriptor with which the folder was read.
        return ""
