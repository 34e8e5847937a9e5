"""
Large data that a function mentions: it is sent as a handle, also if it is not shared.

If the data is not shared, it is published when a function that mentions it is
submitted, once for each state. Its memory is released with the data itself.
"""

from __future__ import annotations

import os
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from ..data.handover import handover
from ..data.holds import Hold, let_go
from ..data.store import Store

if TYPE_CHECKING:
    from ..data.holds import InplaceHold
    from ..data.publication import Publication

__all__ = ["LARGE_BYTES", "close", "hold_of", "release_unused"]

#: Smaller data is pickled.
LARGE_BYTES = 1 << 20

_store: Store | None = None
#: By identity: a weak reference to the data, and its publication.
_publications: dict[int, tuple[weakref.ref[Any], Publication]] = {}
#: Identities of data that was deleted. A destructor may run anywhere, also while a
#: thread holds a lock that is needed to end a publication.
_ended: deque[tuple[int, Publication]] = deque()


def hold_of(value: Any) -> Hold | InplaceHold | None:
    """
    Hold the present state of a shared object or large data; None for other values.

    Raises:
        ProxyError: It cannot be published.
    """
    held: Hold | InplaceHold | None = handover.hold(value)
    if held is not None:
        return held
    if handover.is_shared(value) or size_of(value) < LARGE_BYTES:
        return None
    release_unused()
    return Hold(_publication_of(value), value)


def size_of(value: Any) -> int:
    """
    Return the size of an array or a frame in bytes; 0 for other values.
    """
    library = str(type(value).__module__).partition(".")[0]
    if library == "pandas":
        usage = getattr(value, "memory_usage", None)
        used = 0 if usage is None or isinstance(value, type) else usage()
        return int(used.sum()) if hasattr(used, "sum") else int(used)
    if library in ("numpy", "pyarrow"):
        size = getattr(value, "nbytes", 0)
        return size if isinstance(size, int) else 0
    if library == "polars":
        estimate = getattr(value, "estimated_size", None)
        return 0 if estimate is None or isinstance(value, type) else int(estimate())
    return 0


def _publication_of(value: Any) -> Publication:
    global _store
    key = id(value)
    found = _publications.get(key)
    if found is not None and found[0]() is value:
        return found[1]
    if _store is None:
        _store = Store()
    made = _store.publication(type(value).__name__)
    reference = weakref.ref(value, lambda _: _ended.append((key, made)))
    _publications[key] = reference, made
    return made


def release_unused() -> None:
    """
    Release the memory of data that was deleted.
    """
    let_go()
    while _ended:
        key, publication = _ended.popleft()
        found = _publications.get(key)
        if found is not None and found[1] is publication:
            del _publications[key]
        if _store is not None:
            _store.retire(publication)


def close() -> None:
    """
    Release all memory. A worker keeps what it maps.
    """
    global _store
    store, _store = _store, None
    _publications.clear()
    _ended.clear()
    if store is not None:
        store.close()


def _after_fork_in_child() -> None:
    global _store
    _store = None
    _publications.clear()
    _ended.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
