"""
The versions that tasks of an engine may ask for, in the kernel and on other hosts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..data.handles import Handle
    from ..memory.files import SharedFile

__all__ = ["HostCopy", "Kept"]

#: Seconds without a request after which another process of a host brings a version.
LEASE_S = 40.0


class Kept(NamedTuple):
    """
    A version that tasks may ask for. The open file keeps its memory and its content.
    """

    file: SharedFile
    #: The handle, by the kernel's own descriptor of the open file.
    handle: Handle
    #: The nonce of the version in the publication.
    nonce: bytes


class HostCopy:
    """
    The copy of a version on another host.
    """

    def __init__(self, sender: str) -> None:
        #: The worker that has it, or brings it.
        self.sender: str = sender
        #: Empty while it is brought.
        self.handle: bytes = b""
        self.asked_at: float = time.monotonic()

    @property
    def is_late(self) -> bool:
        """
        Whether the worker has stopped to bring it.
        """
        return not self.handle and time.monotonic() > self.asked_at + LEASE_S
