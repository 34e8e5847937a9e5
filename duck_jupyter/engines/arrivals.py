"""
Versions on hosts other than the kernel's: one copy a host, which its processes map.

The kernel decides which process of a host brings a version. The others wait, and map
the copy of that process as they would map the kernel's.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ..data.attach import decoded, encoded
from ..data.handles import this_machine
from ..data.layout import NO_TICKET
from ..errors import HandshakeError, KernelGone, VersionGone
from ..memory.allocation import with_room
from ..memory.copying import write_pieces
from ..memory.descriptors import Descriptor
from ..memory.files import FileKey, is_locked
from ..memory.process_state import pid_namespace
from .expiring import Expiring

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..data.handles import Handle

__all__ = [
    "PIECE_BYTES",
    "Answer",
    "Done",
    "Fetch",
    "Fetched",
    "Have",
    "Part",
    "Want",
    "bring",
    "copies",
    "drop",
    "warm",
]

_T = TypeVar("_T")

#: The largest piece of a version in one answer.
PIECE_BYTES = 16 << 20
#: Seconds between two requests while another process of this host brings a version.
AGAIN_S = 0.05


class Copy:
    """
    A copy of a version in memory of this process.

    Args:
        descriptor: Its file.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        found = os.fstat(descriptor.fileno())
        number = descriptor.fileno()
        self.key: FileKey = FileKey(
            os.getpid(), number, found.st_dev, found.st_ino, pid_namespace()
        )

    @property
    def is_mapped(self) -> bool:
        """
        Whether a process maps it.
        """
        return is_locked(self._descriptor.fileno())


class Want(msgspec.Struct, array_like=True, frozen=True, tag="want"):
    """
    Asks where a process of a host finds a version.
    """

    token: str
    host: str
    #: Whether the process cannot map the copy of another process.
    alone: bool = False


class Part(msgspec.Struct, array_like=True, frozen=True, tag="part"):
    """
    Asks for a part of a version, which is the whole answer.
    """

    token: str
    offset: int
    size: int


class Have(msgspec.Struct, array_like=True, frozen=True, tag="have"):
    """
    Tells that a process has brought a version to its host.
    """

    token: str
    host: str
    #: The encoded handle of the copy.
    handle: bytes


class Fetch(msgspec.Struct, array_like=True, frozen=True, tag="fetch"):
    """
    Asks for the present version of an object, until `Done` is sent for it.
    """

    #: The number of the object.
    idx: int


class Done(msgspec.Struct, array_like=True, frozen=True, tag="done"):
    """
    Tells that a process does not need a fetched version of the kernel any more.
    """

    token: str


class Fetched(msgspec.Struct, array_like=True, frozen=True):
    """
    The answer to `Fetch`.
    """

    #: The encoded handle.
    handle: bytes
    #: The token of the version, or "" if the handle has the object itself.
    token: str = ""
    #: A pickled error, or nothing.
    fault: bytes = b""


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """
    The answer to `Want`.
    """

    #: "bring", "map", "wait" or "gone".
    word: str
    #: The bytes to bring.
    size: int = 0
    #: The encoded handle to map.
    handle: bytes = b""


#: The mappings of this process: their page tables stay warm between two tasks. Mapping
#: half a gigabyte takes microseconds, and the page faults take longer than many tasks.
warm: Expiring[memoryview] = Expiring(5.0)
#: The copies of versions that this process has brought.
copies: Expiring[Copy] = Expiring(60.0, lambda copy: copy.is_mapped)

_encode = msgspec.msgpack.encode


def this_host() -> str:
    """
    Return a text that is equal in processes which may be able to share memory.
    """
    return f"{this_machine()}/{pid_namespace()}/{os.geteuid()}"


def bring(
    token: str,
    handle: Handle,
    ask: Callable[[bytes], bytes],
    attach: Callable[[Handle], _T],
) -> _T:
    """
    Attach a version that this process cannot map in the kernel's memory.

    Args:
        token: The token of the version.
        handle: The kernel's handle.
        ask: Sends a request to the kernel and returns its answer.
        attach: Returns the object of a handle to memory of this host.

    Raises:
        VersionGone: The kernel does not have the version any more.
        ProxyTimeout: The kernel does not answer.
        DataTooBigError: This host has no space for it.
    """
    host, alone = this_host(), False
    pause = threading.Event()
    while True:
        answer = msgspec.msgpack.decode(
            ask(_encode(Want(token, host, alone))), type=Answer
        )
        if answer.word == "bring":
            local = _copy(token, handle, answer.size, ask)
            ask(_encode(Have(token, host, encoded(local))))
            return attach(local)
        if answer.word == "map":
            try:
                return attach(decoded(answer.handle))
            except (HandshakeError, KernelGone, VersionGone):
                # The other process has ended, or it is on a host that looks like this.
                alone = True
        elif answer.word == "wait":
            # The kernel stops to say so when the other process has ended.
            pause.wait(AGAIN_S)
        else:
            raise VersionGone(
                f"The notebook does not keep this version of {handle.name!r} any more: "
                "its server was stopped, or no task needed it. Share the object again "
                "and submit the task again."
            )


def _copy(
    token: str, handle: Handle, size: int, ask: Callable[[bytes], bytes]
) -> Handle:
    """
    Copy a version into memory of this process, and return a handle to it.
    """

    def write(fd: int) -> None:
        offset = 0
        while offset < size:
            wanted = min(PIECE_BYTES, size - offset)
            data = ask(_encode(Part(token, offset, wanted)))
            if len(data) != wanted:
                raise VersionGone(
                    f"The notebook removed {handle.name!r} while this worker brought "
                    "it here. Share the object again and submit the task again."
                )
            write_pieces(fd, [(offset, memoryview(data))])
            offset += wanted

    copy = Copy(Descriptor(with_room(size, write)))
    copies.keep(token, copy)
    return msgspec.structs.replace(
        handle,
        machine=this_machine(),
        user=os.geteuid(),
        file=copy.key,
        ticket=NO_TICKET,
    )


def drop(tokens: list[str]) -> None:
    """
    Release what this process has of versions; objects that use them keep the memory.
    """
    for token in tokens:
        warm.drop(token)
        copies.drop(token)
