"""
Handle -> object, in the process that the handle was pickled for.
"""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ..errors import (
    DataDecodeError,
    DataTooBigError,
    HandshakeError,
    KernelGone,
    VersionGone,
)
from ..interrupts import is_of_signal_handler
from ..memory.files import Access, open_shared
from ..memory.mapping_cache import lend
from .fetched_versions import remember
from .handles import Handle, Inline, this_machine
from .pickling import load
from .versions import ARRIVED, NONCE_BYTES, TICKETS, TICKETS_AT, Index, taker_at

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["attach", "encoded", "rebuild", "rebuild_memory", "reduced"]

_T = TypeVar("_T")

#: What decoding raises; text that is none is Python's own error.
DAMAGED = (msgspec.MsgspecError, UnicodeDecodeError)

_encode = msgspec.msgpack.Encoder().encode
_decode_handle = msgspec.msgpack.Decoder(Handle | Inline).decode
_decode_memory = msgspec.msgpack.Decoder(Handle).decode
_decode_index = msgspec.msgpack.Decoder(Index).decode


def reduced(handle: Handle | Inline) -> tuple[Any, tuple[bytes]]:
    """
    Give what a pickler is told, so that the object is loaded where this arrives.
    """
    return rebuild, (encoded(handle),)


def encoded(handle: Handle | Inline) -> bytes:
    """
    Give a handle as bytes, for `rebuild`.
    """
    return _encode(handle)


def rebuild(data: bytes, *, writable: bool = True, private: bool = False) -> Any:
    """
    Give the object of an encoded handle: what unpickling it calls.

    Args:
        data: The handle.
        writable: As for `attach`.
        private: An object that was shared in place is copied.

    Raises:
        DataDecodeError: It is no handle, or only a part of one.
        ProxyError: As `attach`.
    """
    handle = _decoded(_decode_handle, data)
    if isinstance(handle, Inline):
        # bytearray, since bytes would make arrays that refuse to be written to.
        kind = bytearray if writable else bytes
        return load(handle.head, [kind(buffer) for buffer in handle.buffers])
    value = attach(handle, writable=writable)
    return copy.deepcopy(value) if private and handle.inplace else value


def attach(handle: Handle, *, writable: bool = True) -> Any:
    """
    Give the object of a handle, on the memory that was published.

    Args:
        handle: The handle.
        writable: Writing is allowed, and stays in this process unless the object was
            shared in place; otherwise it is refused.

    Raises:
        HandshakeError: The handle is from another machine or another user.
        KernelGone: The process that published the object has ended.
        VersionGone: The version is not kept any more.
        DataDecodeError: The object cannot be rebuilt here.
    """
    view = _map_all(handle, writable=writable)
    start = handle.index_at
    index = _decoded(_decode_index, view[start : start + handle.index_size])
    buffers = [view[at : at + size] for at, size in index.buffers]
    head = view[index.head_at : index.head_at + index.head_size]
    return load(head, buffers)


def rebuild_memory(data: bytes) -> memoryview:
    """
    Map the file of an encoded handle: what unpickling a part of an object calls.

    Returns:
        All its bytes, as writable as those of the whole object would be.

    Raises:
        DataDecodeError: It is no handle, or only a part of one.
        ProxyError: As `attach`.
    """
    handle = _decoded(_decode_memory, data)
    return _map_all(handle, writable=True)


def _map_all(handle: Handle, *, writable: bool) -> memoryview:
    if not writable or handle.readonly:
        access = Access.READ
    else:
        access = Access.SHARED if handle.inplace else Access.COPY
    mapped = _map(handle, access)
    if handle.file.pid == os.getpid():
        remember(mapped, handle.nonce)
    return memoryview(mapped).cast("B")


def _map(handle: Handle, access: int) -> Any:
    name = handle.name
    if handle.machine != this_machine():
        raise HandshakeError(
            f"The data of {name!r} was published on another machine, or before this "
            "one was restarted; shared memory does not reach that far. Share it with "
            f"%share {name} --no-handover to have it pickled as ever."
        )
    if handle.user != os.geteuid():
        raise HandshakeError(
            f"The data of {name!r} belongs to user {handle.user} and this process to "
            f"user {os.geteuid()}: run the workers as the same user, or share it with "
            f"%share {name} --no-handover."
        )
    try:
        with open_shared(handle.file) as file:
            if file.read(NONCE_BYTES, 0) == handle.nonce:
                mapped = lend(file) if access == Access.COPY else file.map(access)
                if 0 <= handle.ticket < TICKETS:
                    number = os.getpid().to_bytes(4, sys.byteorder)
                    file.write(number, taker_at(handle.ticket))
                    file.write(ARRIVED, TICKETS_AT + handle.ticket)
                return mapped
    except FileNotFoundError:
        pass
    except PermissionError as error:
        if is_of_signal_handler(error):
            raise
        # Which is also what the system says of a process that is ending.
        if _is_running(handle.file.pid):
            raise HandshakeError(
                f"The data of {name!r} cannot be opened: {error}. The system keeps "
                "processes of the same user apart here (a container, hidepid); share "
                f"it with %share {name} --no-handover, or use its proxy."
            ) from error
    except OSError as error:
        if is_of_signal_handler(error):
            raise
        raise DataTooBigError(
            f"The data of {name!r} cannot be mapped: {error}. A limit of this process "
            "is in the way (ulimit -v, or -n before Python 3.13): drop what was "
            "fetched before and is not needed any more, or raise the limit."
        ) from error
    if not _is_running(handle.file.pid):
        raise KernelGone(
            f"The kernel that published {name!r} (process {handle.file.pid}) has "
            "ended, and its data with it. Share it again and pass it anew."
        )
    raise VersionGone(
        f"This version of {name!r} is not kept any more: its server was stopped, or "
        "the handle was loaded before and the object has changed since. Pass the "
        "object anew; each handle is good for one worker."
    )


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:
        return False
    return state.split()[0] not in "ZX"  # ended, and nobody has noticed yet


def _decoded(decode: Callable[[Any], _T], data: Any) -> _T:
    try:
        return decode(data)
    except DAMAGED as error:
        raise DataDecodeError(
            f"The handle to a shared object is damaged: {error}. Pass the object anew."
        ) from error
