"""
Records: the messages in the pipe for output.

A record has at most ``PIPE_BUF`` bytes, so records of several workers do not mix
(pipe(7)). A longer message is split into several records.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DISPLAY", "MARK", "STDERR", "STDOUT", "Reader", "Record", "records_of"]

STDOUT, STDERR, DISPLAY, MARK = range(4)
#: Run, process, kind, whether more follows, bytes that follow.
HEAD = struct.Struct("=QIBBH")
#: The largest record that Linux writes in one piece, in bytes.
PIPE_BUF = 4096
MOST = PIPE_BUF - HEAD.size


class Record(NamedTuple):
    """
    A message, or a part of it.
    """

    run: int
    pid: int
    kind: int
    has_more: bool
    data: bytes


def records_of(run: int, pid: int, kind: int, data: bytes) -> Iterator[bytes]:
    """
    Split a message into records.
    """
    for at in range(0, max(len(data), 1), MOST):
        part = data[at : at + MOST]
        has_more = at + MOST < len(data)
        yield HEAD.pack(run, pid, kind, has_more, len(part)) + part


class Reader:
    """
    Takes records out of the read bytes, and keeps incomplete ones.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Record]:
        """
        Return the records that are complete.
        """
        self._rest += data
        while len(self._rest) >= HEAD.size:
            run, pid, kind, has_more, size = HEAD.unpack_from(self._rest)
            end = HEAD.size + size
            if len(self._rest) < end:
                return
            part, self._rest = self._rest[HEAD.size : end], self._rest[end:]
            yield Record(run, pid, kind, bool(has_more), part)
