"""
Handle: what is pickled for a worker in place of an object's data.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import msgspec

from ..memory.files import FileKey  # noqa: TC001 (msgspec reads annotations)

__all__ = ["Handle", "Inline", "this_machine"]


class Inline(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """
    An object that is smaller than a handle to it.
    """

    head: bytes
    buffers: list[bytes]


class Handle(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """
    Where one version of an object lies, and who may have it.
    """

    #: What messages call the object.
    name: str
    machine: str
    user: int
    file: FileKey
    #: A random number of the version, which its file holds as well.
    nonce: bytes
    #: Where the index is in the file, and its bytes.
    index_at: int
    index_size: int
    #: Which ticket says that the handle has arrived.
    ticket: int
    #: The notebook's own memory, and no copy of it.
    inplace: bool
    #: Writing is refused.
    readonly: bool = False


@lru_cache(maxsize=1)
def this_machine() -> str:
    """
    Tell machines, and their restarts, from each other.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return os.uname().nodename
