"""
What a process holds: descriptors and mapped blocks by kind, and threads.
"""

from __future__ import annotations

import functools
import gc
import os
import threading
from collections import Counter

from tests.support.blocks import list_nameless

THREAD_PREFIX = "duck-"
#: So many of each kind may be kept on purpose: a spare connection has some of them.
SLACK = 4


def take_census() -> Counter[str]:
    """
    Count what this process holds, without what the next garbage collection frees.
    """
    gc.collect()
    held = count_descriptors()
    held["mapped block"] = len(list_nameless())
    return held


def count_descriptors() -> Counter[str]:
    """
    Count descriptors and threads alone, which takes less time.
    """
    held: Counter[str] = Counter()
    for entry in os.scandir("/proc/self/fd"):
        try:
            target = os.readlink(entry.path)  # noqa: PTH115 - thousands of times
        except OSError:
            continue  # that of the listing itself, or another thread closed it
        held[f"descriptor of {kind_of(target)}"] += 1
    for thread in threading.enumerate():
        if thread.name.startswith(THREAD_PREFIX):
            held[f"thread {kind_of(thread.name)}"] += 1
    return held


@functools.cache
def kind_of(target: str) -> str:
    """
    Give the kind of what a descriptor or a name stands for, without its number.
    """
    if target.startswith("/"):
        folder = target.split("/")[1].split(":")[0]
        return f"a file in /{folder}"
    return target.split(":[")[0].rstrip("0123456789-_ ()")


def growth(before: Counter[str], now: Counter[str]) -> dict[str, int]:
    """
    Give how many more there are of what there is more of.
    """
    return dict(sorted((now - before).items()))


def is_bounded(more: dict[str, int]) -> bool:
    """
    Tell whether what there is more of may be kept on purpose, for the next call.

    A block, a connection or a thread may; hundreds of steps of which some leak leave
    more than that. What a single step leaks is found by repeating it.
    """
    return all(count <= SLACK for count in more.values())
