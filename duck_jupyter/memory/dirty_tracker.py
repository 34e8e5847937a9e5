"""
Watching: which parts of buffers may have changed since they were compared.

To compare 1 GB takes 80 ms, to ask the system which pages were written to 1 ms at most.
But the first write to each page then costs a page fault, 0.3 s for 1 GB in all. So a
watcher gives up when it finds much of the buffers written to, and then waits until
comparing has found them unchanged; the oftener it was of little use, the longer.

What makes it sound: pages are protected first and compared after that, so a write is
either in what is compared or noted. A read past the page tables may fill a page later
than it was noted. So protected pages stay suspect until a look at all threads shows
that every read that began before has ended (`reads_under_way`), and they are compared
after that look. Nobody else may protect the same pages, since that would take the note
away: a page is watched by one watcher. Only memory that no other process and no device
can reach is watched, and nothing in a process that was forked, which shares pages with
its parent; of a buffer only whole pages: its edges are compared always. Memory that was
given back and came again is not registered any more, and that is an error, which means:
compare it all.
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
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["PageNotes", "Part", "Watcher", "notes"]

#: Smaller buffers are compared: that is as quick.
SMALLEST_BYTES = 1 << 20
#: Ranges of pages in a process; each splits a mapping, of which there are 65,530.
MOST_RANGES = 1000
#: The largest share of the pages that may be written to between two questions.
WRITTEN_SHARE = 1 / 8
#: A watcher that answered so often was worth it.
WORTH_ANSWERS = 8
MOST_PATIENCE = 64


class Part(NamedTuple):
    """
    Some memory of a buffer.
    """

    #: Which buffer.
    number: int
    #: Bytes from its beginning.
    offset: int
    size: int

    def within(self, other: Part) -> Part | None:
        """
        Give what lies in another part as well; None where that is nothing.
        """
        start = max(self.offset, other.offset)
        end = min(self.offset + self.size, other.offset + other.size)
        if self.number != other.number or start >= end:
            return None
        return Part(self.number, start, end - start)


class PageNotes:
    """
    What this process asks its kernel to note of writes. Any thread may call it.

    Args:
        opener: Gives a descriptor of page faults.
        threads: The folder in which the system tells of the threads of this process.
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
        Why this system cannot tell; empty where it can.
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
        Begin to watch; all pages are suspects at first.

        Returns:
            None where this system, or this memory, or too much of it, forbids it, or
            where others watch some of it.
        """
        with self._lock:
            if self.refused or self._writes is None or self._pid != os.getpid():
                return None
            others = list(self._watches)
            count = len(ranges) + sum(len(other.ranges) for other in others)
            # One whose memory is gone would be in the way of what came there.
            taken = any(o.overlaps(ranges) and self._is_intact(o) for o in others)
            if taken or count > MOST_RANGES:
                return None
            watch = Watch(ranges, self._threads)
            try:
                for pages in ranges:
                    self._writes.protect(pages, register=True)
                # Asked now: other memory in its place would not be registered.
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
        Tell whether a watch can still say that something is unchanged; if not, end it.
        """
        if self._note(watch):
            return True
        self.end(watch)
        return False

    def _written(self, watch: Watch) -> list[PageRange] | None:
        """
        List what was written to; nothing is said where it is too much, or is gone.
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
        Take what was written to for suspect, and protect it again.
        """
        written = self._written(watch)
        if written is None or self._writes is None:
            return False
        # First: if it is interrupted, it is not forgotten.
        watch.suspects += [Suspect(pages) for pages in written]
        try:
            for pages in written:
                self._writes.protect(pages)
            # What a device was given since, it was given by a write.
            return watch.is_dated or is_private(watch.ranges)
        except OSError:
            return False

    def suspects(self, watch: Watch) -> list[PageRange] | None:
        """
        List the pages to compare; all others are as they were.

        Returns:
            None where that cannot be said, or is of no use; the watch is at its end.
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
        Note that what `suspects` listed is known again.

        Pages stay suspect that a read may fill which began before they were protected.
        """
        with self._lock:
            watch.clear()

    def end(self, watch: Watch) -> None:
        """
        Watch no more. Twice is fine.
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
        In a child, leave the parent's notes alone: the descriptors speak of its memory.
        """
        writes = self._writes
        self._start()
        if writes is not None:
            writes.close()


class Watcher:
    """
    Tells which parts of an object's buffers are to be compared with what was known.

    It belongs to one user, who asks `suspects`, compares or copies those parts, and
    then says so with `found`. As in a transaction, nothing is forgotten if the second
    does not come.

    Args:
        notes: The process's notes of writes.
    """

    def __init__(self, notes: PageNotes) -> None:
        self._notes = notes
        self._watch: Watch | None = None
        self._spans: list[tuple[int, int]] = []
        #: How often the buffers were found unchanged by comparing all of them.
        self._same = 0
        #: How often they have to be before they are watched. Most of what is shared is
        #: only read from then on, so at first there is no waiting.
        self._patience = 0

    @property
    def is_watching(self) -> bool:
        """
        Some of the buffers are watched.
        """
        return self._watch is not None

    def suspects(self, spans: Sequence[tuple[int, int]]) -> list[Part] | None:
        """
        List what may have changed since it was `found`.

        Args:
            spans: Addresses and bytes of the buffers. Who asks keeps them.

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
        Say that what `suspects` listed is known again, since it was compared or copied.

        Args:
            spans: Addresses and bytes of the buffers it is known of.
            same: All was as it had been.
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
        Watch no more, until all was found unchanged again.
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
    Cut what is suspect out of the buffers, and what of them is not watched.
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


#: Those of this process.
notes: PageNotes = PageNotes()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=notes.after_fork)
