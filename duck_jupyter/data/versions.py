"""
Version: one published state of an object, in a file of memory.

`layout` has the layout of the file. A handle has not arrived until a process marks its
ticket. Until then, and as long as a process maps the file, the version is not changed.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import deque
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from ..memory.copying import Span, address_of, differs, update
from ..memory.dirty_tracker import Part
from ..memory.files import MemoryFile
from .handles import Handle, Lent, this_machine
from .layout import (
    ARRIVED,
    BUFFERS_AT,
    FREE,
    NO_TICKET,
    NONCE_BYTES,
    ON_ITS_WAY,
    TAKERS_AT,
    TICKETS_AT,
    Layout,
)
from .pickling import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..memory.files import FileKey
    from .pickling import Dumped

__all__ = ["Version", "Versions"]


class Version:
    """
    One published version of an object, in the process that publishes it.

    It belongs to one publication, whose lock protects it.

    Args:
        dumped: The object.
        layout: Its layout in the file.
        name: The name of the object in messages.

    Raises:
        DataTooBigError: There is no space for it.
    """

    def __init__(self, dumped: Dumped, layout: Layout, name: str) -> None:
        self.name = name
        #: The handles from `lend`, by ticket.
        self._lent: dict[int, Handle] = {}
        #: Those of them that were released before they arrived.
        self._given_up: deque[Handle] = deque()
        #: The holders that may still make handles of it.
        self.held_by: set[int] = set()
        self._file = MemoryFile(layout.size, layout.pieces(dumped))
        self._finish(layout, dumped.head)

    def _finish(self, layout: Layout, head: bytes) -> None:
        self._layout = layout
        self._head = head
        self._lost_count = False
        #: When the last handle was made, in seconds of the monotonic clock.
        self.given_at: float = time.monotonic()
        self._file.map[TAKERS_AT:BUFFERS_AT] = bytes(BUFFERS_AT - TAKERS_AT)
        self.nonce: bytes = secrets.token_bytes(NONCE_BYTES)
        # Last: a process that reads the nonce finds the rest written.
        self._file.map[:NONCE_BYTES] = self.nonce

    @property
    def size(self) -> int:
        """
        The size in shared memory, in bytes.
        """
        return self._file.size

    @property
    def is_spooled(self) -> bool:
        """
        Whether it is in the spool folder.
        """
        return self._file.is_spooled

    @property
    def is_mapped(self) -> bool:
        """
        Whether any process maps it.
        """
        return self._file.is_mapped

    @property
    def on_its_way(self) -> bool:
        """
        Whether a handle was made and has not arrived yet.
        """
        self._settle()
        tickets = self._file.map[TICKETS_AT:BUFFERS_AT]
        return self._lost_count or ON_ITS_WAY in tickets

    def takers(self) -> tuple[FileKey, set[int]]:
        """
        Return its file, and the processes that took it; of very many only the latest.
        """
        found = set(memoryview(self._file.map[TAKERS_AT:TICKETS_AT]).cast("I"))
        return self._file.key, found - {0, os.getpid()}

    @property
    def in_use(self) -> bool:
        """
        Whether it must not be changed.
        """
        # In this order: an arriving process maps the version before it marks the
        # ticket.
        return self.on_its_way or self.is_mapped

    @property
    def is_damaged(self) -> bool:
        """
        Whether an error has left neither the old state nor the new one.
        """
        return bool(self._file.map[:NONCE_BYTES] != self.nonce)

    def is_shaped_as(self, dumped: Dumped) -> bool:
        """
        Return whether a state differs at most in the content of its buffers.
        """
        sizes = [size for _, size in self._layout.ranges]
        return dumped.head == self._head and sizes == list(map(len, dumped.buffers))

    def holds(self, dumped: Dumped, parts: Sequence[Part] | None = None) -> bool:
        """
        Return whether this version holds the present state of an object.

        Args:
            dumped: The object.
            parts: The parts of the buffers that may differ; all of them by default.
        """
        if not self.is_shaped_as(dumped):
            return False
        return not differs(self._spans(self._layout, dumped.buffers, parts))

    def start_of(self, number: int) -> int:
        """
        Return the offset of a buffer in the file, in bytes.
        """
        return self._layout.ranges[number][0]

    def offset_of(self, low: int, high: int) -> int | None:
        """
        Return the offset of addresses of this process in the file.

        Args:
            low: The first address.
            high: The address after the last one.

        Returns:
            Bytes from the start of the file; None if they are other memory.
        """
        start = self._file.address
        inside = start <= low and high <= start + self._file.size
        return low - start if inside else None

    def shows(self, offset: int, address: int, size: int) -> bool:
        """
        Return whether memory of this process has the same bytes as a part of the file.

        Args:
            offset: The offset of the part.
            address: The address of the memory.
            size: The bytes of each.
        """
        return not differs([Span(self._file.address + offset, address, size)])

    def fits(self, layout: Layout) -> bool:
        """
        Return whether another state fits into the same memory, and fills much of it.
        """
        return self.size // 2 <= layout.size <= self.size

    def replace(
        self, dumped: Dumped, layout: Layout, parts: Sequence[Part] | None = None
    ) -> bool:
        """
        Write another state that `fits` into this version's memory.

        Args:
            dumped: The object.
            layout: Its layout in the file.
            parts: The parts of the buffers that may differ, if its shape is the same;
                all of them by default.

        Returns:
            Whether it was done: no process uses the old state.
        """
        # Before anything is written: an interrupt may come at any step, and a process
        # that has the old state may map it again.
        if self.in_use:
            return False
        # A process reads the nonce after it has mapped the file, so one side sees the
        # other.
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
        Return a handle; the version stays until the handle arrives.
        """
        self._settle()
        memory = self._file.map
        ticket = NO_TICKET
        within = repeat(TICKETS_AT), repeat(BUFFERS_AT)
        # A signal handler may hand over the same version. Python runs no handler
        # between the step of this loop and the mark, so no two handles get the same
        # ticket.
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
        Return a handle that any thread can release without the lock.
        """
        handle = self.handle()
        if handle.ticket != NO_TICKET:
            self._lent[handle.ticket] = handle
        return Lent(handle, lambda: self._given_up.append(handle))

    def _settle(self) -> None:
        """
        Free the tickets of handles that were released before they arrived.
        """
        memory, lent = self._file.map, self._lent
        while self._given_up:
            handle = self._given_up.popleft()
            ticket, at = handle.ticket, TICKETS_AT + handle.ticket
            # No call here: a signal handler in between could give the ticket to another
            # handle.
            if (
                ticket in lent
                and lent[ticket] is handle
                and memory[at] == ON_ITS_WAY[0]
            ):
                memory[at] = ARRIVED[0]

    def load_here(self) -> Any:
        """
        Return the object over the memory of the version itself, writable.
        """
        view = memoryview(self._file.map)
        buffers = [view[at : at + size] for at, size in self._layout.ranges]
        return load(self._head, buffers)

    def close(self) -> None:
        """
        Release the memory; a process that maps it keeps it. Repeated calls do nothing.
        """
        self._lent.clear()
        self._file.close()

    def __repr__(self) -> str:
        return f"<Version of {self.name}, {self.size:,} bytes>"


class Versions(NamedTuple):
    """
    The counts of versions of one object.
    """

    #: The number of kept versions, including the newest.
    kept: int = 0
    #: Bytes of shared memory.
    bytes: int = 0
    #: Bytes of the versions that a process maps.
    mapped: int = 0
    #: The number of older versions whose handles have not arrived.
    awaited: int = 0
    #: Bytes in the spool folder.
    spooled: int = 0
