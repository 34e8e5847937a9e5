"""
What tests of watching share: an array that is watched, and what is suspect of it.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any

import numpy as np

from duck_jupyter.memory import dirty_tracker
from duck_jupyter.memory.copying import address_of
from duck_jupyter.memory.dirty_tracker import PageNotes, Watcher
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from duck_jupyter.memory.dirty_tracker import Part

SIZE = 24 << 20
#: More than an edge, or what a test takes for small.
SMALL = 2 * mmap.PAGESIZE
DEADLINE_S = 10.0


def spans_of(*buffers: Any) -> list[tuple[int, int]]:
    """
    Give what a watcher is asked about.
    """
    return [(address_of(buffer), memoryview(buffer).nbytes) for buffer in buffers]


def make_array(size: int = SIZE) -> NDArray[np.uint8]:
    """
    Give an array of its own pages, all of them touched.
    """
    return np.ones(size, np.uint8)


def ask(watcher: Watcher, *buffers: Any) -> list[Part] | None:
    """
    Do as someone who finds all unchanged: ask, compare, and say so.
    """
    spans = spans_of(*buffers)
    parts = watcher.suspects(spans)
    for buffer in buffers:
        # As comparing does, which gives memory to pages that have none.
        np.frombuffer(buffer, np.uint8).max()
    watcher.found(spans, same=True)
    return parts


def is_at_rest(watcher: Watcher, *buffers: Any) -> bool:
    """
    Tell whether a watcher comes to say that nothing has to be compared.
    """
    return wait_until(lambda: is_edges(ask(watcher, *buffers)), DEADLINE_S)


def is_edges(parts: list[Part] | None) -> bool:
    """
    Tell whether nothing has to be compared but the edges of buffers, and small ones.
    """
    return parts is not None and all(part.size < SMALL for part in parts)


def watched(*buffers: Any, notes: PageNotes | None = None) -> Watcher:
    """
    Give a watcher that says of some buffers that nothing has to be compared.
    """
    watcher = Watcher(notes or dirty_tracker.notes)
    assert is_at_rest(watcher, *buffers)
    assert watcher.is_watching
    return watcher


def suspected(watcher: Watcher, *buffers: Any) -> Callable[[int], bool]:
    """
    Ask once; the answer tells of any byte of the first buffer whether it is suspect.
    """
    parts = watcher.suspects(spans_of(*buffers))
    if parts is None:
        return lambda _: True
    first = [(offset, offset + size) for number, offset, size in parts if number == 0]
    return lambda at: any(start <= at < end for start, end in first)
