"""
Tracking of writes: which parts of buffers may have changed since the last comparison.

Comparing 1 GB takes 80 ms; asking the system which pages were written to takes 1 ms at
most. But afterwards the first write to each page costs a page fault, 0.3 s for 1 GB in
all. So a watcher stops if it finds that much of the buffers was written to. Then it
waits until comparisons have found them unchanged, longer each time that it was of
little use.

The method is sound: pages are protected first and compared afterwards, so a write is
either in the compared data or noted. A read that bypasses the page tables may fill a
page later than it was noted. So protected pages stay suspect until a check of all
threads shows that every read that began before has ended (`reads_under_way`), and they
are compared after that check. No other code may protect the same pages, because this
would remove the note: only one watcher watches a page. Only memory that no other
process and no device can reach is watched. In a forked process, which shares pages with
its parent, nothing is watched. Of a buffer only whole pages are watched: its edges are
always compared. Memory that was freed and allocated again is no longer registered; this
is an error, which means: compare everything.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from .distrusted_pages import Suspect, Watch
from .private_memory import is_private
from .reads_under_way import THREADS, is_forked
from .userfaultfd import (
    PageRange,
    PageWrites,
    merged,
    open_userfaultfd,
    pages_within,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["PageNotes", "Part", "Watcher", "bytes_in", "notes"]

#: Smaller buffers are always compared, which is as fast.
SMALLEST_BYTES = 1 << 20
#: Ranges of pages in a process; each splits a mapping, and a process can have 65,530.
MOST_RANGES = 1000
#: The largest share of the pages that may be written to between two checks.
WRITTEN_SHARE = 1 / 8
#: A watcher that answered this often was worth its cost.
WORTH_ANSWERS = 8
MOST_PATIENCE = 64


class Part(NamedTuple):
    """
    Some memory of a buffer.
    """

    #: The number of the buffer.
    number: int
    #: Bytes from the start of the buffer.
    offset: int
    size: int

    def within(self, other: Part) -> Part | None:
        """
        Return the intersection with another part, or None if it is empty.
        """
        start = max(self.offset, other.offset)
        end = min(self.offset + self.size, other.offset + other.size)
        if self.number != other.number or start >= end:
            return None
        return Part(self.number, start, end - start)


def bytes_in(parts: Iterable[Part]) -> int:
    """
    Return the size of parts in all, in bytes.
    """
    return sum(part.size for part in parts)


class PageNotes:
    """
    The notes of writes that the system keeps for this process. Any thread may call it.

    Args:
        opener: Opens a descriptor of page faults.
        threads: The folder with the system's files about the threads of this process.
    """

    def __init__(
        self, opener: Callable[[], int] = open_userfaultfd, threads: str = THREADS
    ) -> None:
        self._opener = opener
        self._threads = threads
        self._start()

    def _start(self) -> None:
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._writes: PageWrites | None = None
        self._refused = ""
        self._watches: weakref.WeakSet[Watch] = weakref.WeakSet()

    @property
    def refused(self) -> str:
        """
        The reason why this system cannot note writes; empty if it can.
        """
        with self._lock:
            if self._writes is None and not self._refused:
                try:
                    if is_forked():
                        self._refused = "a forked process shares pages with its parent"
                    else:
                        self._writes = PageWrites(self._opener)
                except OSError as error:
                    self._refused = str(error) or "refused"
            return self._refused

    def watch(self, ranges: list[PageRange]) -> Watch | None:
        """
        Begin to watch; at first all pages are suspects.

        Returns:
            None if this system does not allow it for this memory, if there are too many
            ranges, or if another watcher watches some of them.
        """
        with self._lock:
            if self.refused or self._writes is None or self._pid != os.getpid():
                return None
            others = list(self._watches)
            count = len(ranges) + sum(len(other.ranges) for other in others)
            # A watch whose memory was freed must not block new memory at the same
            # place.
            taken = any(o.overlaps(ranges) and self._is_intact(o) for o in others)
            if taken or count > MOST_RANGES:
                return None
            watch = Watch(ranges, self._threads)
            try:
                for pages in ranges:
                    self._writes.protect(pages, register=True)
                # Check now: other memory in its place would not be registered.
                private = is_private(ranges)
            except OSError:
                private = False
            self._watches.add(watch)
            if not private:
                self.end(watch)
                return None
            return watch

    def _is_intact(self, watch: Watch) -> bool:
        """
        Return whether a watch can still tell that pages are unchanged; if not, end it.
        """
        if self._note(watch):
            return True
        self.end(watch)
        return False

    def _written(self, watch: Watch) -> list[PageRange] | None:
        """
        List the written pages; None if they are too many, or if memory was freed.
        """
        if self._writes is None:
            return None
        written: list[PageRange] = []
        try:
            for pages in watch.ranges:
                written += self._writes.written(pages)
        except OSError:
            return None
        count = sum(pages.end - pages.start for pages in written)
        return written if count <= watch.size * WRITTEN_SHARE else None

    def _note(self, watch: Watch) -> bool:
        """
        Add the written pages to the suspects, and protect them again.
        """
        written = self._written(watch)
        if written is None or self._writes is None:
            return False
        # First, so that an interrupt cannot lose them.
        watch.suspects += [Suspect(pages) for pages in written]
        try:
            for pages in written:
                self._writes.protect(pages)
            # A device can only have got pages since then through a write.
            return watch.is_dated or is_private(watch.ranges)
        except OSError:
            return False

    def suspects(self, watch: Watch) -> list[PageRange] | None:
        """
        List the pages to compare; all others are unchanged.

        Returns:
            None if this is unknown or of no use; the watch has ended.
        """
        with self._lock:
            if self._pid != os.getpid() or watch not in self._watches:
                return None
            if not self._is_intact(watch):
                return None
            try:
                watch.look()
            except OSError:
                self.end(watch)
                return None
            return [suspect.pages for suspect in watch.suspects]

    def clear(self, watch: Watch) -> None:
        """
        Note that the pages from `suspects` are known again.

        Pages stay suspect if a read may fill them that began before they were
        protected.
        """
        with self._lock:
            watch.clear()

    def end(self, watch: Watch) -> None:
        """
        Stop watching. Repeated calls do nothing.
        """
        with self._lock:
            if self._pid != os.getpid() or watch not in self._watches:
                return
            self._watches.discard(watch)
            for pages in watch.ranges:
                if self._writes is not None:
                    with contextlib.suppress(OSError):
                        self._writes.release(pages)

    def after_fork(self) -> None:
        """
        In a forked child, drop the descriptors, which refer to the parent's memory.
        """
        writes = self._writes
        self._start()
        if writes is not None:
            writes.close()


class Watcher:
    """
    Tells which parts of an object's buffers must be compared with the known state.

    It belongs to one user, who calls `suspects`, compares or copies those parts, and
    then calls `found`. As in a transaction, nothing is lost if the second call never
    comes.

    Args:
        notes: The notes of writes of the process.
    """

    def __init__(self, notes: PageNotes) -> None:
        self._notes = notes
        self._watch: Watch | None = None
        self._spans: list[tuple[int, int]] = []
        #: How often comparing all buffers found them unchanged.
        self._same = 0
        #: How often this must happen before they are watched. Most shared objects are
        #: only read later, so at first there is no waiting.
        self._patience = 0

    @property
    def is_watching(self) -> bool:
        """
        Whether some of the buffers are watched.
        """
        return self._watch is not None

    def suspects(self, spans: Sequence[tuple[int, int]]) -> list[Part] | None:
        """
        List the parts that may have changed since the last call of `found`.

        Args:
            spans: Addresses and sizes of the buffers; the caller keeps the buffers.

        Returns:
            None for all of it.
        """
        spans = list(spans)
        if spans != self._spans:
            self.stop()
        if self._watch is None:
            self._spans = spans
            if self._same < self._patience:
                return None
            large = merged(
                pages_within(*span) for span in spans if span[1] >= SMALLEST_BYTES
            )
            self._watch = self._notes.watch(large) if large else None
            if self._watch is None:
                self._wait_longer()
                return None
        pages = self._notes.suspects(self._watch)
        if pages is None:
            self.stop()
            return None
        self._watch.answers += 1
        return list(_parts(spans, pages))

    def found(self, spans: Sequence[tuple[int, int]], *, same: bool) -> None:
        """
        Note that the parts from `suspects` were compared or copied, and so are known.

        Args:
            spans: Addresses and sizes of the known buffers.
            same: Whether everything was unchanged.
        """
        if list(spans) != self._spans:
            self.stop()
        elif self._watch is not None:
            self._notes.clear(self._watch)
        elif same:
            self._same += 1
        else:
            self._same = 0

    def _wait_longer(self) -> None:
        self._same = 0
        self._patience = min(max(1, 2 * self._patience), MOST_PATIENCE)

    def stop(self) -> None:
        """
        Stop watching, until everything was found unchanged again.
        """
        watch, self._watch = self._watch, None
        self._spans = []
        if watch is None:
            self._same = 0
            return
        if watch.answers >= WORTH_ANSWERS:
            self._same, self._patience = 0, 0
        else:
            self._wait_longer()
        self._notes.end(watch)


def _parts(
    spans: Sequence[tuple[int, int]], suspects: Sequence[PageRange]
) -> Iterator[Part]:
    """
    Yield the suspect parts of the buffers, and the parts that are not watched.
    """
    pages = merged(suspects)
    starts = [start for start, _ in pages]
    for number, (address, size) in enumerate(spans):
        if size < SMALLEST_BYTES:
            yield Part(number, 0, size)
            continue
        inner = pages_within(address, size)
        first = max(bisect_right(starts, address) - 1, 0)
        last = bisect_left(starts, inner.end)
        edges = (address, inner.start), (inner.end, address + size)
        for low, high in (*edges, *pages[first:last]):
            start, end = max(low, address), min(high, address + size)
            if start < end:
                yield Part(number, start - address, end - start)


#: The notes of this process.
notes: PageNotes = PageNotes()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=notes.after_fork)
