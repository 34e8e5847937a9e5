"""
Mappings that all threads of a process share.

The system counts a shared page as resident memory once for each mapping. If four
threads mapped the same 500 MB, their process would seem to use 2 GB. A program that
limits its memory might end it. So a file is mapped once for reading, and once for
writing that all processes see. Private writing needs a mapping of its own: see
`lend_first`.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .files import Access
from .mapping_cache import is_lent, lend

if TYPE_CHECKING:
    import mmap

    from .files import Identity, SharedFile

__all__ = ["lend_first", "map_once"]

#: The mappings in use, by file and access. As long as one exists, its lock prevents
#: that the file is changed, and no other file has its identity.
_mapped: weakref.WeakValueDictionary[tuple[Identity, int], mmap.mmap]
_mapped = weakref.WeakValueDictionary()
_lock = threading.RLock()


def map_once(file: SharedFile, access: int) -> mmap.mmap:
    """
    Map a file, or return the mapping that another user in this process has.

    Args:
        file: The file, open and locked.
        access: `Access.READ` or `Access.SHARED`.
    """
    key = (file.identity, access)
    with _lock:
        mapped = _mapped.get(key)
        if mapped is None:
            mapped = _mapped[key] = file.map(access)
        return mapped


def lend_first(file: SharedFile) -> Any:
    """
    Return a private mapping of a file to its first user in this process.

    Args:
        file: The file, open and locked.

    Returns:
        A buffer of the whole file: `lend`, or if another user has that already, the
        mapping for reading.
    """
    with _lock:
        return map_once(file, Access.READ) if is_lent(file) else lend(file)


def _after_fork_in_child() -> None:
    # A thread that does not exist in the child may hold it.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
