"""
Private mappings that are reused while their page tables are warm.

Mapping half a gigabyte takes microseconds, but the page faults of a light task and the
unmapping after it take 20 to 40 ms. So a process keeps unused mappings for about a
second: the next task with the same file finds every page still mapped.

A mapping is lent through a window: an object over its memory. All objects made of the
mapping refer to the window, directly or through others. When the last of them is
dropped, the window is dropped, and its lease with it. Then the written pages are
dropped, which restores the file's content, and the mapping is idle.

A mapping has no lock (see `files`). The window has a lock of its own open file
description, through a mapping of one page. So a file counts as mapped while a window
exists in any process, including forked ones. An idle mapping does not prevent that the
file is rewritten; it then shows the new content.
"""

from __future__ import annotations

import _thread
import atexit
import ctypes
import mmap
import os
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

from .copying import address_of
from .descriptors import Descriptors
from .files import Access, map_file
from .userfaultfd import PageRange, private_pages

if TYPE_CHECKING:
    from .files import SharedFile

__all__ = ["IDLE_S", "LEAST_BYTES", "drop_idle", "is_lent", "lend"]

#: Below this size, page faults cost no more than keeping the mapping.
LEAST_BYTES = 4 << 20
#: How long a mapping may be idle; it is dropped half a second later at most.
IDLE_S = 1.0
LOOK_S = IDLE_S / 2
#: How many mappings may be idle in one process.
MOST_IDLE = 4

#: Unused mappings, the latest last. The thread that takes one out owns it.
_idle: deque[_Mapping] = deque()
#: Held by the thread that drops them. A bare lock and a bare thread, because a lease
#: may end at any moment, also inside the bookkeeping of `threading`.
_tidying = _thread.allocate_lock()
_hurry = threading.Event()


class _Mapping:
    """
    A private mapping of a whole file.
    """

    def __init__(self, file: SharedFile) -> None:
        # An open file description of its own, without a lock.
        owner = Descriptors()
        fd = owner.open(f"/proc/self/fd/{file.fd}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.memory = map_file(fd, Access.COPY)
        finally:
            owner.close()
        # While it is mapped, no other file can have this identity.
        self.identity = file.identity
        self.idle_since = 0.0

    def restore(self) -> None:
        """
        Drop the written pages: the file's content shows again.

        Raises:
            OSError: This system cannot list them, or they are too many ranges.
        """
        start = address_of(self.memory)
        size = -(-len(self.memory) // mmap.PAGESIZE) * mmap.PAGESIZE
        for pages in private_pages(PageRange(start, start + size)):
            length = pages.end - pages.start
            self.memory.madvise(mmap.MADV_DONTNEED, pages.start - start, length)


class _Lease:
    """
    Only a window refers to it, so it is dropped with the window.

    The garbage collector calls the finalizers of a cycle while other objects in it may
    still use the window, and may even save it. Then the window refers to the lease as
    well, which shows in the reference count; such a mapping is not reused.
    """

    __slots__ = ()

    #: Keyed by the id of the lease. A copy of a lease has another id.
    lent: ClassVar[dict[int, _Mapping]] = {}
    #: The reference count of a dropped lease, as its finalizer sees it.
    fewest: ClassVar[int] = sys.maxsize
    #: False when Python ends.
    is_open: ClassVar[bool] = True

    def __del__(self) -> None:
        if not self.is_open:
            return
        count = sys.getrefcount(self)
        mapping = self.lent.pop(id(self), None)
        if mapping is None:
            _Lease.fewest = min(count, _Lease.fewest)
        elif count <= self.fewest:
            _take_back(mapping)


_Lease()  # this finds the lowest reference count


def lend(file: SharedFile) -> Any:
    """
    Map a file so that writes stay in this process.

    Args:
        file: The file, open and locked.

    Returns:
        A buffer of the whole file. The file is locked until all objects over the buffer
        are dropped.
    """
    size = file.identity.size
    if size < LEAST_BYTES or not _Lease.is_open:
        return file.map(Access.COPY)
    mapping = _take(file) or _Mapping(file)
    lock = file.hold()
    window: Any = (ctypes.c_char * size).from_buffer(mapping.memory)
    lease = _Lease()
    _Lease.lent[id(lease)] = mapping
    # In this order: attributes are dropped one by one, and the lock last.
    window.lease = lease
    window.lock = lock
    return window


def is_lent(file: SharedFile) -> bool:
    """
    Return whether a mapping of a file is lent; one of a small file is not counted.
    """
    lent = list(_Lease.lent.values())
    return any(mapping.identity == file.identity for mapping in lent)


def drop_idle() -> None:
    """
    Unmap the unused mappings.
    """
    _idle.clear()


def _take(file: SharedFile) -> _Mapping | None:
    """
    Take an idle mapping of a file, if there is one.
    """
    others = []
    found = None
    while found is None:
        try:
            mapping = _idle.pop()
        except IndexError:
            break
        if mapping.identity == file.identity:
            found = mapping
        else:
            others.append(mapping)
    if others:
        _idle.extend(reversed(others))
        _have_tidied()
    return found


def _take_back(mapping: _Mapping) -> None:
    try:
        mapping.restore()
    except OSError:
        return
    mapping.idle_since = time.monotonic()
    _idle.append(mapping)
    if len(_idle) > MOST_IDLE:
        _drop_oldest()
    _have_tidied()


def _drop_oldest(since: float | None = None) -> bool:
    """
    Drop the mapping that has been idle the longest.

    Args:
        since: Only if it has been idle since before this time.

    Returns:
        Whether a mapping was dropped.
    """
    try:
        oldest = _idle.popleft()
    except IndexError:
        return False
    if since is not None and oldest.idle_since > since:
        _idle.appendleft(oldest)
        return False
    return True


def _have_tidied() -> None:
    if _tidying.acquire(blocking=False):
        try:
            _thread.start_new_thread(_tidy, ())
        except RuntimeError:  # no more threads
            _tidying.release()
            drop_idle()


def _tidy() -> None:
    """
    Drop mappings that were idle too long, until none is idle; runs in a thread.
    """
    while True:
        while _idle:
            _hurry.wait(LOOK_S)
            while _drop_oldest(time.monotonic() - IDLE_S):
                pass
        _tidying.release()
        # A mapping may have become idle just before, while the thread was still
        # running.
        if not _idle or not _tidying.acquire(blocking=False):
            return


def _before_fork() -> None:
    # A child does not need them, and Python warns of threads at a fork.
    _hurry.set()
    drop_idle()
    if _tidying.acquire(timeout=LOOK_S):
        _tidying.release()
    _hurry.clear()


def _after_fork_in_child() -> None:
    # A child has no such thread.
    global _tidying, _hurry
    drop_idle()
    _tidying = _thread.allocate_lock()
    _hurry = threading.Event()


def _at_exit() -> None:
    _Lease.is_open = False
    drop_idle()
    _hurry.set()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
