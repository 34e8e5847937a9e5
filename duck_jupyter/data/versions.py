"""
Version: one published state of an object, in a file of memory.

::

    0        header   the version's nonce; zeros while nobody may take it
    64       takers   the numbers of processes that took it, 32 bits each; else 0
    4096     tickets  one byte for each handle that was given out
    8192     buffers  64 bytes aligned, in the order of pickling
    ...      index    (offset of the head, its bytes, [(offset, bytes) of each buffer])
    ...      head     the pickle, without its buffers

A handle that was pickled is on its way until some process marks its ticket. Until
then, and for as long as anybody maps the file, the version stays as it is.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import deque
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ..memory.copying import Span, address_of, differs, update
from ..memory.dirty_tracker import Part
from ..memory.files import MemoryFile
from .handles import Handle, Lent, this_machine
from .pickling import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..memory.files import FileKey
    from .pickling import Dumped

__all__ = [
    "ARRIVED",
    "BUFFERS_AT",
    "NONCE_BYTES",
    "TICKETS",
    "TICKETS_AT",
    "Index",
    "Layout",
    "Version",
    "Versions",
    "taker_at",
]

NONCE_BYTES = 16
TAKERS_AT = 64
TICKETS_AT = 4096
TICKETS = 4096
BUFFERS_AT = TICKETS_AT + TICKETS
#: Arrow wants it, and so do vector instructions.
ALIGNMENT = 64
#: What a ticket's byte says.
FREE, ON_ITS_WAY, ARRIVED = b"\0", b"\1", b"\2"
#: A handle without a ticket: all are on their way. Its version is kept.
NO_TICKET = -1


class Index(NamedTuple):
    """
    Where the parts of an object lie in a file, in bytes.
    """

    head_at: int
    head_size: int
    buffers: list[tuple[int, int]]


class Layout:
    """
    How an object is laid out in a file.

    Args:
        dumped: The object.
    """

    def __init__(self, dumped: Dumped) -> None:
        end = BUFFERS_AT
        ranges = []
        for buffer in dumped.buffers:
            ranges.append((end, len(buffer)))
            end = _aligned(end + len(buffer))
        self.index_at = end
        # The size of the index depends on the numbers in it: these are larger.
        room = len(msgspec.msgpack.encode(Index(2**62, 2**62, ranges)))
        head_at = end + room
        index = Index(head_at, len(dumped.head), ranges)
        self.ranges = ranges
        self.index = msgspec.msgpack.encode(index)
        self.head_at = head_at
        self.size = head_at + len(dumped.head)

    def pieces(self, dumped: Dumped) -> list[tuple[int, memoryview]]:
        """
        List what a new file holds, by offset, with no page left out.
        """
        control = memoryview(bytes(BUFFERS_AT))
        starts = [start for start, _ in self.ranges]
        tail = self.index.ljust(self.head_at - self.index_at, b"\0") + dumped.head
        return [
            (0, control),
            *zip(starts, dumped.buffers, strict=True),
            (self.index_at, memoryview(tail)),
        ]


class Version:
    """
    One published state of an object, as the process that publishes it has it.

    It belongs to one publication, under whose lock it is used.

    Args:
        dumped: The object.
        layout: How it lies in the file.
        name: What messages call it.

    Raises:
        DataTooBigError: There is no room for it.
    """

    def __init__(self, dumped: Dumped, layout: Layout, name: str) -> None:
        self.name = name
        #: What `lend` gave out, by ticket.
        self._lent: dict[int, Handle] = {}
        #: What of it is awaited no longer.
        self._given_up: deque[Handle] = deque()
        self._file = MemoryFile(layout.size, layout.pieces(dumped))
        self._finish(layout, dumped.head)

    def _finish(self, layout: Layout, head: bytes) -> None:
        self._layout = layout
        self._head = head
        self._lost_count = False
        #: When the last handle was given out, in seconds of the monotonic clock.
        self.given_at = time.monotonic()
        self._file.map[TAKERS_AT:BUFFERS_AT] = bytes(BUFFERS_AT - TAKERS_AT)
        self.nonce = secrets.token_bytes(NONCE_BYTES)
        # Last: a reader of the nonce finds the rest written.
        self._file.map[:NONCE_BYTES] = self.nonce

    @property
    def size(self) -> int:
        """
        Bytes of shared memory.
        """
        return self._file.size

    @property
    def is_spooled(self) -> bool:
        """
        It lies in the spool folder.
        """
        return self._file.is_spooled

    @property
    def is_mapped(self) -> bool:
        """
        Somebody maps it.
        """
        return self._file.is_mapped

    @property
    def on_its_way(self) -> bool:
        """
        A handle was given out and has not arrived yet.
        """
        self._settle()
        tickets = self._file.map[TICKETS_AT:BUFFERS_AT]
        return self._lost_count or ON_ITS_WAY in tickets

    def takers(self) -> tuple[FileKey, set[int]]:
        """
        Tell which file it is, and which processes took it; the latest of very many.
        """
        found = set(memoryview(self._file.map[TAKERS_AT:TICKETS_AT]).cast("I"))
        return self._file.key, found - {0, os.getpid()}

    @property
    def in_use(self) -> bool:
        """
        It has to stay as it is.
        """
        # In this order: who arrives maps it before it marks its ticket.
        return self.on_its_way or self.is_mapped

    def is_shaped_as(self, dumped: Dumped) -> bool:
        """
        Tell whether a state is this one, but for what its buffers hold.
        """
        sizes = [size for _, size in self._layout.ranges]
        return dumped.head == self._head and sizes == list(map(len, dumped.buffers))

    def holds(self, dumped: Dumped, parts: Sequence[Part] | None = None) -> bool:
        """
        Tell whether this is the state that an object is in.

        Args:
            dumped: The object.
            parts: What may differ of the buffers; all of it by default.
        """
        if not self.is_shaped_as(dumped):
            return False
        return not differs(self._spans(self._layout, dumped.buffers, parts))

    def start_of(self, number: int) -> int:
        """
        Tell where a buffer begins in the file, in bytes.
        """
        return self._layout.ranges[number][0]

    def offset_of(self, low: int, high: int) -> int | None:
        """
        Tell where addresses of this process lie in the file.

        Args:
            low: The first address.
            high: The address after the last one.

        Returns:
            Bytes from the beginning of the file; None where they are other memory.
        """
        start = self._file.address
        inside = start <= low and high <= start + self._file.size
        return low - start if inside else None

    def shows(self, offset: int, address: int, size: int) -> bool:
        """
        Tell whether memory of this process holds the same bytes as a part of the file.

        Args:
            offset: Where the part begins.
            address: Where the memory begins.
            size: Bytes of both.
        """
        return not differs([Span(self._file.address + offset, address, size)])

    def fits(self, layout: Layout) -> bool:
        """
        Tell whether another state has room in the same memory, and fills much of it.
        """
        return self.size // 2 <= layout.size <= self.size

    def replace(
        self, dumped: Dumped, layout: Layout, parts: Sequence[Part] | None = None
    ) -> bool:
        """
        Make this the version of another state that `fits`.

        Args:
            dumped: The object.
            layout: How it lies in the file.
            parts: What may differ of the buffers, if it is shaped as this one; all of
                it by default.

        Returns:
            Whether it could be done: nobody uses the old state.
        """
        if self.on_its_way:
            return False
        # Who comes late reads the nonce after it has mapped: one sees the other.
        self._file.map[:NONCE_BYTES] = bytes(NONCE_BYTES)
        if self.is_mapped:
            self._file.map[:NONCE_BYTES] = self.nonce
            return False
        if not self.is_shaped_as(dumped):
            parts = None
        update(self._spans(layout, dumped.buffers, parts))
        end = layout.index_at + len(layout.index)
        self._file.map[layout.index_at : end] = layout.index
        self._file.map[layout.head_at : layout.size] = dumped.head
        self._finish(layout, dumped.head)
        return True

    def _spans(
        self, layout: Layout, buffers: Sequence[Any], parts: Sequence[Part] | None
    ) -> list[Span]:
        start = self._file.address
        if parts is None:
            parts = [Part(n, 0, size) for n, (_, size) in enumerate(layout.ranges)]
        return [
            Span(
                start + layout.ranges[number][0] + offset,
                address_of(buffers[number]) + offset,
                size,
            )
            for number, offset, size in parts
        ]

    def handle(self) -> Handle:
        """
        Give out a handle; the version stays until it arrives.
        """
        self._settle()
        memory = self._file.map
        ticket = NO_TICKET
        within = repeat(TICKETS_AT), repeat(BUFFERS_AT)
        # A signal handler may hand over the same version. Python runs none between the
        # step of this loop and the mark, so no two handles have one ticket.
        for found in map(memory.find, (FREE, ARRIVED), *within):
            if found >= 0:
                memory[found] = ON_ITS_WAY[0]
                ticket = found - TICKETS_AT
                break
        else:
            self._lost_count = True
        self._lent.pop(ticket, None)
        self.given_at = time.monotonic()
        return Handle(
            self.name,
            this_machine(),
            os.geteuid(),
            self._file.key,
            self.nonce,
            self._layout.index_at,
            len(self._layout.index),
            ticket,
            inplace=False,
        )

    def lend(self) -> Lent[Handle]:
        """
        Give out a handle that can be given up, by any thread and without the lock.
        """
        handle = self.handle()
        if handle.ticket != NO_TICKET:
            self._lent[handle.ticket] = handle
        return Lent(handle, lambda: self._given_up.append(handle))

    def _settle(self) -> None:
        """
        Free the tickets of handles that were given up before they arrived.
        """
        memory, lent = self._file.map, self._lent
        while self._given_up:
            handle = self._given_up.popleft()
            ticket, at = handle.ticket, TICKETS_AT + handle.ticket
            # No call: a signal handler between these could give the ticket to another.
            if (
                ticket in lent
                and lent[ticket] is handle
                and memory[at] == ON_ITS_WAY[0]
            ):
                memory[at] = ARRIVED[0]

    def load_here(self) -> Any:
        """
        Give the object over the very memory of the version, writable.
        """
        view = memoryview(self._file.map)
        buffers = [view[at : at + size] for at, size in self._layout.ranges]
        return load(self._head, buffers)

    def close(self) -> None:
        """
        Release the memory. A process that maps it keeps it. Twice is fine.
        """
        self._lent.clear()
        self._file.close()

    def __repr__(self) -> str:
        return f"<Version of {self.name}, {self.size:,} bytes>"


class Versions(NamedTuple):
    """
    What is kept of one object.
    """

    #: Versions that are kept, the newest among them.
    kept: int = 0
    #: Bytes of shared memory.
    bytes: int = 0
    #: Bytes of the versions that somebody maps.
    mapped: int = 0
    #: Older versions that handles on their way stand for.
    awaited: int = 0
    #: Bytes that lie in the spool folder.
    spooled: int = 0


def taker_at(ticket: int) -> int:
    """
    Tell where a process that takes a version notes its number, in bytes.

    Args:
        ticket: That of its handle.
    """
    return TAKERS_AT + ticket * 4 % (TICKETS_AT - TAKERS_AT)


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
