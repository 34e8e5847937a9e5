"""
Records: what workers write into the pipe for output.

A record is at most ``PIPE_BUF`` bytes, so that those of several workers do not mix
(pipe(7)). A message that is longer is cut into several records.
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
#: Bytes of a record, which Linux writes as one.
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
    Cut a message into records.
    """
    for at in range(0, max(len(data), 1), MOST):
        part = data[at : at + MOST]
        has_more = at + MOST < len(data)
        yield HEAD.pack(run, pid, kind, has_more, len(part)) + part


class Reader:
    """
    Takes records out of what was read, and keeps what is not complete.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Record]:
        """
        Give the records that are complete.
        """
        self._rest += data
        while len(self._rest) >= HEAD.size:
            run, pid, kind, has_more, size = HEAD.unpack_from(self._rest)
            end = HEAD.size + size
            if len(self._rest) < end:
                return
            part, self._rest = self._rest[HEAD.size : end], self._rest[end:]
            yield Record(run, pid, kind, bool(has_more), part)
