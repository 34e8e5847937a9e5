"""
Memory that nobody but this process, by its own page tables, can write to.
"""

from __future__ import annotations

from bisect import bisect_right
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .procfs import list_names, open_folder, read_link
from .userfaultfd import PageRange

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_private"]

#: What a mapping of a device, or of a ring that is shared with the kernel, is called.
#: Who has such may have pages that are written to past the page tables.
DEVICES = ("/dev/", "anon_inode:", "/[aio]")
#: Memory like any other, though named as if it were a device.
NO_DEVICES = ("/dev/shm/", "/dev/zero", "/dev/hugepages/")
#: Where the system tells of the descriptors of this process.
DESCRIPTORS = "/proc/self/fd"
#: What a descriptor of a ring is called. The ring need not be mapped.
RING = "anon_inode:[io_uring]"


def is_private(ranges: Iterable[PageRange], descriptors: str = DESCRIPTORS) -> bool:
    """
    Return whether every page is ordinary memory that a program allocates.

    Files and shared memory change through other processes. A graphics card, a network
    adapter or an I/O ring writes to pages that were handed to it, and the page tables
    never hear of it: where one is at work, no memory counts as private.

    Args:
        ranges: The pages.
        descriptors: Where the system tells of this process's descriptors.

    Raises:
        OSError: The system does not tell.
    """
    areas: list[PageRange] = []
    with Path("/proc/self/maps").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            fields = line.split(maxsplit=5)
            name = fields[5] if len(fields) > 5 else ""
            if name.startswith(DEVICES) and not name.startswith(NO_DEVICES):
                return False
            if "p" not in fields[1] or fields[4] != "0":
                continue
            start, end = (int(address, 16) for address in fields[0].split("-"))
            if areas and areas[-1].end == start:
                areas[-1] = PageRange(areas[-1].start, end)
            else:
                areas.append(PageRange(start, end))
    starts = [area.start for area in areas]
    for pages in ranges:
        at = bisect_right(starts, pages.start) - 1
        if at < 0 or areas[at].end < pages.end:
            return False
    return not _pins_pages() and not _has_ring(descriptors)


def _has_ring(descriptors: str) -> bool:
    """
    Return whether the kernel may read into memory while no thread waits for it.
    """
    with open_folder(descriptors) as folder:
        for name in list_names(folder):
            # Another thread may have closed it meanwhile.
            with suppress(FileNotFoundError):
                if read_link(folder, name) == RING:
                    return True
    return False


def _pins_pages() -> bool:
    """
    Return whether pages are kept in place for something else to write to them.
    """
    with Path("/proc/self/status").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("VmPin:"):
                return line.split()[1] != "0"
    return True
