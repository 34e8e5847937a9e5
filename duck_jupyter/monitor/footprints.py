"""
The memory of worker processes, looked at a few at a time.

To share out a process's pages the system goes through its page tables: 1 ms for a small
one, many for gigabytes. So a look has a bound, and those that were looked at longest
ago come first.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Footprints"]

#: Seconds for which a footprint is taken to be the same.
LASTS_S = 2.0


class Footprints:
    """
    What is known of the memory of processes. One thread at a time may call it.
    """

    def __init__(self) -> None:
        #: By process: when it was looked at, and its share in bytes.
        self._found: dict[int, tuple[float, int | None]] = {}

    def of(self, pids: Iterable[int], most_s: float = math.inf) -> dict[int, int]:
        """
        Return the proportional set size (PSS) of processes in bytes, as far as known.

        Args:
            pids: The processes; what was known of others is forgotten.
            most_s: Processor time in seconds after which no more are looked at; one is
                in any case.
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
    # Elsewhere than on Linux the system does not share pages out.
    size: int | None = getattr(found, "pss", None)
    return size
