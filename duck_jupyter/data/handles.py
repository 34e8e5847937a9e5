"""
Handle: is pickled for a worker in place of an object's data.
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
        Return a handle, as a version does.
        """
        return self

    def lend(self) -> Lent[Inline]:
        """
        Return a handle that can be released; this one holds nothing.
        """
        return Lent(self, _nothing)


class Handle(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """
    The place of one version of an object, and the user and machine that may map it.
    """

    #: The name of the object in messages.
    name: str
    machine: str
    user: int
    file: FileKey
    #: A random number of the version; its file holds it as well.
    nonce: bytes
    #: The offset of the index in the file, and its size in bytes.
    index_at: int
    index_size: int
    #: The number of the ticket that says whether the handle has arrived.
    ticket: int
    #: Whether it is the notebook's own memory, not a copy of it.
    inplace: bool
    #: Whether writing is refused.
    readonly: bool = False


@dataclass(frozen=True)
class Lent(Generic[_H]):
    """
    A handle for a process that may end before it has mapped the version.
    """

    handle: _H
    #: Stops waiting for the handle if it has not arrived. Repeated calls do nothing.
    give_up: Callable[[], None]


def _nothing() -> None:
    """
    Do nothing: the handle holds nothing.
    """


@lru_cache(maxsize=1)
def this_machine() -> str:
    """
    Return a text that differs between machines, and between restarts of a machine.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return os.uname().nodename
