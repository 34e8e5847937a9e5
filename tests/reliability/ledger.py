"""
The ledger of a worker's thread: what it began, and how that ended, for after its death.

A line is ``seconds word kind tag value``. The words:

- ``begin``: the operation is about to start
- ``ack``: its right answer is here
- ``late``: the same, and an interrupt came when the change was done already
- ``cut``: an interrupt ended it inside the product
- ``edge``: an interrupt came between the product and the harness
- ``wrong``: its answer was not the right one, or was an error
- ``ready``, ``idle``: the thread begins, or has done its last operation
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Call", "Ledger", "Pages", "has_ended", "path_of", "read_pages"]

ENDS = frozenset({"ack", "late", "cut", "edge", "wrong"})
WORDS = ENDS | {"begin", "ready", "idle"}
SUFFIX = ".ledger"
#: Bytes from the end in which the last line is found.
TAIL = 200


class Ledger:
    """
    A file to which a thread appends. It survives the thread's death at any moment.

    Args:
        folder: Where it is.
        name: The worker's number and the thread's, as ``3.0``.
    """

    def __init__(self, folder: Path, name: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(path_of(folder, name), flags, 0o600)

    def write(
        self, word: str, kind: str = "-", tag: str = "-", value: str = ""
    ) -> None:
        """
        Append a line. Safe in a signal handler and in ``__del__``: it takes no lock.
        """
        line = f"{time.monotonic():.6f} {word} {kind} {tag} {value}"
        os.write(self._file, f"{line.translate(ONE_LINE)}\n".encode())

    def close(self) -> None:
        """
        Close the file.
        """
        os.close(self._file)


ONE_LINE = str.maketrans("\r\n", "  ")


def path_of(folder: Path, name: str) -> Path:
    """
    Give the ledger's file.
    """
    return folder / f"{name}{SUFFIX}"


def has_ended(path: Path) -> bool:
    """
    Tell whether a thread wrote that it is idle.
    """
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - TAIL, 0))
        lines = file.read().splitlines()
    return bool(lines) and b" idle " in lines[-1]


@dataclass
class Call:
    """
    One operation, as its ledger has it.
    """

    worker: int
    kind: str
    tag: str
    #: ``begin`` where no end is written.
    word: str = "begin"
    value: str = ""

    @property
    def done(self) -> bool:
        """
        The worker knows that it was done.
        """
        return self.word in ("ack", "late")


@dataclass
class Pages:
    """
    What all ledgers of a round say.
    """

    calls: dict[str, Call] = field(default_factory=dict)
    #: Lines that no worker writes.
    foreign: list[str] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Call]:
        """
        Give the operations of some kinds.
        """
        return [call for call in self.calls.values() if call.kind in kinds]


def read_pages(folder: Path) -> Pages:
    """
    Read all ledgers of a folder.
    """
    pages = Pages()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        worker = int(path.name.partition(".")[0])
        text = path.read_bytes().decode(errors="replace")
        # A worker that is killed while it writes may leave half a line, the last one.
        for line in text.split("\n")[:-1]:
            _read_line(pages, worker, line)
    return pages


def _read_line(pages: Pages, worker: int, line: str) -> None:
    _, word, kind, tag, value = (*line.split(" ", 4), "", "", "", "", "")[:5]
    if word not in WORDS:
        pages.foreign.append(line[:100])
    elif word == "begin":
        pages.calls[tag] = Call(worker, kind, tag)
    elif word in ENDS:
        call = pages.calls.get(tag)
        if call is None or call.word != "begin":
            pages.foreign.append(line[:100])
        else:
            call.word, call.value = word, value
