"""
Objects with one fault each, which the harness has to notice.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .targets import Board, Items, answer_to, make_targets

if TYPE_CHECKING:
    from .targets import Targets

__all__ = ["FAULTS", "make_faulty"]

#: Every so many calls go wrong.
EVERY = 10
#: Longer than a worker may be without progress, shorter than what is left may take.
HANG_S = 4.0


class Forgetful(Board):
    """
    Acknowledges what it does not do.
    """

    calls = 0

    def add(self, tag: str) -> str:
        self.calls += 1
        return super().add(tag) if self.calls % EVERY else answer_to(tag)


class Eager(Board):
    """
    Does it twice.
    """

    calls = 0

    def add(self, tag: str) -> str:
        self.calls += 1
        return (
            super().add(tag)
            if self.calls % EVERY
            else (self.add(tag), self.add(tag))[0]
        )


class Liar(Board):
    """
    Answers with something else.
    """

    def echo(self, payload: bytes) -> bytes:
        return payload[:-1] + b"?"


class Slow(Board):
    """
    Does not answer once.
    """

    was_slow = False

    def echo(self, payload: bytes) -> bytes:
        if not self.was_slow:
            self.was_slow = True
            threading.Event().wait(HANG_S)
        return payload


class Scribbler(Board):
    """
    Writes into files of others.
    """

    def echo(self, payload: bytes) -> bytes:
        for entry in Path("/proc/self/fd").iterdir():
            # It may be closed at any moment by its owner.
            with contextlib.suppress(OSError):
                if entry.readlink().suffix == ".own":
                    os.pwrite(int(entry.name), b"?", 0)
                    break
        return payload


class Hoarder(Board):
    """
    Keeps two descriptors and a block.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pipe: tuple[int, int] | None = None
        self.block: mmap.mmap | None = None

    def echo(self, payload: bytes) -> bytes:
        if self.pipe is None:
            self.pipe = os.pipe()
            file = os.memfd_create("duck-test")
            os.truncate(file, mmap.PAGESIZE)
            self.block = mmap.mmap(file, mmap.PAGESIZE)
            os.close(file)
        return payload

    def clear(self) -> None:
        """
        Give them back, after all was counted.
        """
        for file in self.pipe or ():
            os.close(file)
        if self.block is not None:
            self.block.close()


class Leaky(Items):
    """
    Loses an item once.
    """

    def get(self, block: bool = True, timeout: float | None = None) -> int:
        item = super().get(block, timeout)
        return super().get(block, timeout) if item == EVERY else item


class Sticky:
    """
    A lock that is not released once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._releases = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        self._releases += 1
        if self._releases != EVERY:
            self._lock.release()


#: The columns that are not zero, by the fault.
FAULTS: dict[str, set[str]] = {
    "forgetful": {"lost"},
    "eager": {"doubled"},
    "liar": {"wrong"},
    "slow": {"hung"},
    "scribbler": {"files_touched"},
    "hoarder": {"descriptors_left", "blocks_left"},
    "leaky": {"lost"},
    "sticky": {"locks_left"},
}
BOARDS = {
    "forgetful": Forgetful,
    "eager": Eager,
    "liar": Liar,
    "slow": Slow,
    "scribbler": Scribbler,
    "hoarder": Hoarder,
}


def make_faulty(fault: str, workers: int) -> Targets:
    """
    Make the objects of a round, one of them with a fault.

    Args:
        fault: One of `FAULTS`.
        workers: The number of workers.
    """
    targets = make_targets(workers)
    if fault in BOARDS:
        return targets._replace(board=BOARDS[fault]())
    if fault == "leaky":
        return targets._replace(items=Leaky())
    if fault == "sticky":
        return targets._replace(latches=[Sticky(), *targets.latches[1:]])
    raise ValueError(f"fault must be one of {', '.join(FAULTS)}, not {fault!r}.")
