"""
Memory that only this process can write to, through its own page tables.
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

#: Names of mappings of devices, and of rings that are shared with the kernel. A process
#: with such a mapping may have pages that are written to without the page tables.
DEVICES = ("/dev/", "anon_inode:", "/[aio]")
#: Ordinary memory, although its name is that of a device.
NO_DEVICES = ("/dev/shm/", "/dev/zero", "/dev/hugepages/")
#: The folder with the system's files about the descriptors of this process.
DESCRIPTORS = "/proc/self/fd"
#: The name of a descriptor of a ring. The ring need not be mapped.
RING = "anon_inode:[io_uring]"


def is_private(ranges: Iterable[PageRange], descriptors: str = DESCRIPTORS) -> bool:
    """
    Return whether every page is ordinary memory that a program allocates.

    Files and shared memory change through other processes. A graphics card, a network
    adapter or an I/O ring writes to pages that it was given, without the page tables:
    if one is in use, no memory counts as private.

    Args:
        ranges: The pages.
        descriptors: The folder with the system's files about this process's
            descriptors.

    Raises:
        OSError: The system does not provide this information.
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
            # Another thread may have closed the descriptor meanwhile.
            with suppress(FileNotFoundError):
                if read_link(folder, name) == RING:
                    return True
    return False


def _pins_pages() -> bool:
    """
    Return whether pages are pinned, so that a device may write to them.
    """
    with Path("/proc/self/status").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("VmPin:"):
                return line.split()[1] != "0"
    return True
