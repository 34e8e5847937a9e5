"""
The memory of worker processes, measured for a few processes at a time.

To compute a process's share of its pages, the system reads its page tables: 1 ms for a
small process, many for one with gigabytes. So each measurement has a time limit, and
starts with the processes that were measured longest ago.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Footprints"]

#: Seconds for which a measured value is used again.
LASTS_S = 2.0


class Footprints:
    """
    The measured memory of processes. Used by one thread at a time.
    """

    def __init__(self) -> None:
        #: For each process: when it was measured, and its share in bytes.
        self._found: dict[int, tuple[float, int | None]] = {}

    def of(self, pids: Iterable[int], most_s: float = math.inf) -> dict[int, int]:
        """
        Return the proportional set size (PSS) of processes in bytes, as far as known.

        Args:
            pids: The processes; the values of all others are dropped.
            most_s: Processor time in seconds after which no further process is
                measured; at least one is measured.
        """
        now, begun = time.monotonic(), time.thread_time()
        never = (-math.inf, None)
        self._found = {pid: self._found.get(pid, never) for pid in pids}
        for pid in sorted(self._found, key=lambda pid: self._found[pid][0]):
            if self._found[pid][0] > now - LASTS_S:
                break
            self._found[pid] = (now, _pss_of(pid))
            if time.thread_time() - begun > most_s:
                break
        return {pid: size for pid, (_, size) in self._found.items() if size is not None}


def _pss_of(pid: int) -> int | None:
    try:
        found = psutil.Process(pid).memory_full_info()
    except psutil.Error:
        return None
    # Only Linux computes a process's share of its pages.
    size: int | None = getattr(found, "pss", None)
    return size
