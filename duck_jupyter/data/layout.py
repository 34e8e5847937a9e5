"""
Layout: the places of the parts of a version in its file.

::

    0        header   the version's nonce; zeros while it must not be mapped
    64       takers   the numbers of processes that took it, 32 bits each; else 0
    4096     tickets  one byte for each handle
    8192     buffers  64 bytes aligned, in the order of pickling
    ...      index    (offset of the head, its bytes, [(offset, bytes) of each buffer],
                       whether `read_only` knows the type)
    ...      head     the pickle, without its buffers

A handle has not arrived until a process marks its ticket. Until then, and as long as
any process maps the file, the version is not changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from .pickling import Dumped

__all__ = [
    "ALIGNMENT",
    "ARRIVED",
    "BUFFERS_AT",
    "FREE",
    "NONCE_BYTES",
    "NO_TICKET",
    "ON_ITS_WAY",
    "TAKERS_AT",
    "TICKETS",
    "TICKETS_AT",
    "Index",
    "Layout",
    "taker_at",
]

NONCE_BYTES = 16
TAKERS_AT = 64
TICKETS_AT = 4096
TICKETS = 4096
BUFFERS_AT = TICKETS_AT + TICKETS
#: Arrow and vector instructions need this.
ALIGNMENT = 64
#: The values of a ticket's byte.
FREE, ON_ITS_WAY, ARRIVED = b"\0", b"\1", b"\2"
#: The ticket of a handle when none is free. Its version is kept.
NO_TICKET = -1


class Index(NamedTuple):
    """
    The offsets and sizes of the parts of an object in a file, in bytes.
    """

    head_at: int
    head_size: int
    buffers: list[tuple[int, int]]
    #: Whether read-only memory may be as good for it: see `read_only`.
    unwritten: bool = False


class Layout:
    """
    The layout of an object in a file.

    Args:
        dumped: The object.
    """

    def __init__(self, dumped: Dumped) -> None:
        end = BUFFERS_AT
        ranges: list[tuple[int, int]] = []
        for buffer in dumped.buffers:
            ranges.append((end, len(buffer)))
            end = _aligned(end + len(buffer))
        self.index_at = end
        # The size of the index depends on its numbers, and these are the largest.
        room = len(msgspec.msgpack.encode(Index(2**62, 2**62, ranges)))
        head_at = end + room
        index = Index(head_at, len(dumped.head), ranges, dumped.unwritten)
        self.ranges: list[tuple[int, int]] = ranges
        self.index: bytes = msgspec.msgpack.encode(index)
        self.head_at = head_at
        self.size: int = head_at + len(dumped.head)

    def pieces(self, dumped: Dumped) -> list[tuple[int, memoryview]]:
        """
        List the content of a new file, by offset, without a missing page.
        """
        control = memoryview(bytes(BUFFERS_AT))
        starts = [start for start, _ in self.ranges]
        tail = self.index.ljust(self.head_at - self.index_at, b"\0") + dumped.head
        return [
            (0, control),
            *zip(starts, dumped.buffers, strict=True),
            (self.index_at, memoryview(tail)),
        ]


def taker_at(ticket: int) -> int:
    """
    Return the offset where a process that takes a version writes its number, in bytes.

    Args:
        ticket: The ticket of its handle.
    """
    return TAKERS_AT + ticket * 4 % (TICKETS_AT - TAKERS_AT)


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
