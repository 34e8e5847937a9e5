"""
Handle: what is pickled for a worker in place of an object's data.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from ..memory.files import FileKey

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Handle", "Inline", "Lent", "this_machine"]

_H = TypeVar("_H", covariant=True)


class Inline(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """
    An object that is smaller than a handle to it.
    """

    head: bytes
    buffers: list[bytes]

    def handle(self) -> Inline:
        """
        Give out a handle, as a version does.
        """
        return self

    def lend(self) -> Lent[Inline]:
        """
        Give out a handle that can be given up; nothing awaits this one.
        """
        return Lent(self, _nothing)


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


@dataclass(frozen=True)
class Lent(Generic[_H]):
    """
    A handle for a process that may end before it has taken what it stands for.
    """

    handle: _H
    #: Waits no longer for the handle to arrive, if it has not. Twice is fine.
    give_up: Callable[[], None]


def _nothing() -> None:
    """
    Nobody awaits the handle.
    """


@lru_cache(maxsize=1)
def this_machine() -> str:
    """
    Tell machines, and their restarts, from each other.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return os.uname().nodename
