"""
From a handle to the object, in the process that unpickles the handle.
"""

from __future__ import annotations

import contextlib
import copy
import os
import sys
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
from ..memory.process_state import has_ended
from .fetched_versions import remember
from .handles import Handle, Inline, this_machine
from .layout import ARRIVED, NONCE_BYTES, TICKETS, TICKETS_AT, Index, taker_at
from .pickling import load

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["attach", "encoded", "mark_arrived", "rebuild", "rebuild_memory", "reduced"]

_T = TypeVar("_T")

#: Errors of decoding; for text that is not valid it is Python's own error.
DAMAGED = (msgspec.MsgspecError, UnicodeDecodeError)

_encode = msgspec.msgpack.Encoder().encode
_decode_handle = msgspec.msgpack.Decoder(Handle | Inline).decode
_decode_memory = msgspec.msgpack.Decoder(Handle).decode
_decode_index = msgspec.msgpack.Decoder(Index).decode


def reduced(handle: Handle | Inline) -> tuple[Any, tuple[bytes]]:
    """
    Return the reduced form with which the receiving process loads the object.
    """
    return rebuild, (encoded(handle),)


def encoded(handle: Handle | Inline) -> bytes:
    """
    Return a handle as bytes, for `rebuild`.
    """
    return _encode(handle)


def rebuild(data: bytes, *, writable: bool = True, private: bool = False) -> Any:
    """
    Return the object of an encoded handle; unpickling the handle calls this.

    Args:
        data: The handle.
        writable: As for `attach`.
        private: Whether an object that was shared in place is copied.

    Raises:
        DataDecodeError: The data is not a handle, or only a part of one.
        ProxyError: As for `attach`.
    """
    handle = _decoded(_decode_handle, data)
    if isinstance(handle, Inline):
        # bytearray, because arrays over bytes would be read-only.
        kind = bytearray if writable else bytes
        return load(handle.head, [kind(buffer) for buffer in handle.buffers])
    value = attach(handle, writable=writable)
    return copy.deepcopy(value) if private and handle.inplace else value


def mark_arrived(data: bytes) -> None:
    """
    Note that an encoded handle has arrived whose object is not needed.
    """
    handle = _decoded(_decode_handle, data)
    if isinstance(handle, Handle) and 0 <= handle.ticket < TICKETS:
        # If the file does not exist, no publication waits for the handle.
        with contextlib.suppress(OSError), open_shared(handle.file) as file:
            if file.read(NONCE_BYTES, 0) == handle.nonce:
                file.write(ARRIVED, TICKETS_AT + handle.ticket)


def attach(handle: Handle, *, writable: bool = True) -> Any:
    """
    Return the object of a handle, on the published memory.

    Args:
        handle: The handle.
        writable: Whether arrays may be written to. Writes stay in this process, unless
            the object was shared in place.

    Raises:
        HandshakeError: The handle is from another machine or another user.
        KernelGone: The process that published the object has ended.
        VersionGone: The version was removed.
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
    Map the file of an encoded handle; unpickling a part of an object calls this.

    Returns:
        All its bytes; they are writable if those of the whole object would be.

    Raises:
        DataDecodeError: The data is not a handle, or only a part of one.
        ProxyError: As for `attach`.
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
            "machine was restarted, so this process cannot map it. Share it with "
            f"%share {name} --no-handover, which pickles it as usual."
        )
    if handle.user != os.geteuid():
        raise HandshakeError(
            f"The data of {name!r} belongs to user {handle.user}, and this process "
            f"runs as user {os.geteuid()}. Run the workers as the same user, or share "
            f"it with %share {name} --no-handover."
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
        # The system also reports this for a process that is ending.
        if not has_ended(handle.file.pid):
            raise HandshakeError(
                f"The data of {name!r} cannot be opened: {error}. The system separates "
                "processes of the same user here (a container, hidepid). Share it "
                f"with %share {name} --no-handover, or use its proxy."
            ) from error
    except OSError as error:
        if is_of_signal_handler(error):
            raise
        raise DataTooBigError(
            f"The data of {name!r} cannot be mapped: {error}. This process has reached "
            "a limit (ulimit -v, or -n before Python 3.13). Delete fetched objects "
            "that are no longer needed, or raise the limit."
        ) from error
    if has_ended(handle.file.pid):
        raise KernelGone(
            f"The kernel that published {name!r} (process {handle.file.pid}) has "
            "ended, and its data with it. Share the object again and pass it again."
        )
    raise VersionGone(
        f"This version of {name!r} was removed: its server was stopped, or the handle "
        "was loaded before and the object has changed since. Pass the object again; "
        "each handle serves one worker."
    )


def _decoded(decode: Callable[[Any], _T], data: Any) -> _T:
    try:
        return decode(data)
    except DAMAGED as error:
        raise DataDecodeError(
            f"The handle to a shared object is damaged: {error}. Pass the object again."
        ) from error
