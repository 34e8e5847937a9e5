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
from ..memory.process_state import has_ended, pid_namespace
from ..memory.shared_mappings import lend_first, map_once
from .fetched_versions import remember
from .handles import Handle, Inline, this_machine
from .layout import (
    ARRIVED,
    NO_TICKET,
    NONCE_BYTES,
    TICKETS,
    TICKETS_AT,
    Index,
    taker_at,
)
from .pickling import load
from .read_only import keep_unwritten

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..memory.files import SharedFile

__all__ = [
    "attach",
    "attach_for_task",
    "decoded",
    "encoded",
    "mark_arrived",
    "rebuild",
    "rebuild_memory",
    "reduced",
]

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


def decoded(data: bytes) -> Handle:
    """
    Return the handle of `encoded` bytes, which must not be an `Inline`.

    Raises:
        DataDecodeError: The data is not a handle, or only a part of one.
    """
    return _decoded(_decode_memory, data)


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
        HandshakeError: The handle is from another machine, another container or
            another user.
        KernelGone: The process that published the object has ended.
        VersionGone: The version was removed.
        DataDecodeError: The object cannot be rebuilt here.
    """
    view = _map_all(handle, writable=writable, or_read=True)
    start = handle.index_at
    index = _decoded(_decode_index, view[start : start + handle.index_size])
    if not view.readonly or _access(handle, writable=writable) == Access.READ:
        return _loaded(index, view)
    if index.unwritten:
        value = _loaded(index, view)
        if keep_unwritten(value):
            return value
    # The handle has arrived, and another one may have its ticket by now.
    arrived = msgspec.structs.replace(handle, ticket=NO_TICKET)
    return _loaded(index, _map_all(arrived, writable=True))


def attach_for_task(handle: Handle) -> tuple[Any, memoryview]:
    """
    Return the object of a handle for one of many tasks in the threads of this process.

    Tables use one mapping of the process and copy what a task writes. An array uses the
    same mapping and is read-only. Other objects get a private mapping each.

    Args:
        handle: The handle.

    Returns:
        The object, and the mapping of the process.

    Raises:
        ProxyError: As for `attach`.
    """
    view = _as_bytes(handle, _map(handle, lambda file: map_once(file, Access.READ)))
    start = handle.index_at
    index = _decoded(_decode_index, view[start : start + handle.index_size])
    value = _loaded(index, view)
    if index.unwritten and keep_unwritten(value):
        return value, view
    kind = type(value)
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        return value, view
    del value
    return _loaded(index, _as_bytes(handle, _map(handle, lend))), view


def _loaded(index: Index, view: memoryview) -> Any:
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


def _access(handle: Handle, *, writable: bool) -> int:
    if not writable or handle.readonly:
        return Access.READ
    return Access.SHARED if handle.inplace else Access.COPY


def _map_all(handle: Handle, *, writable: bool, or_read: bool = False) -> memoryview:
    """
    Map the file of a handle.

    Args:
        handle: The handle.
        writable: As for `attach`.
        or_read: Whether read-only memory will do where another thread has the memory
            for private writes.
    """
    access = _access(handle, writable=writable)
    if access != Access.COPY:
        mapped = _map(handle, lambda file: map_once(file, access))
    else:
        mapped = _map(handle, lend_first if or_read else lend)
    return _as_bytes(handle, mapped)


def _as_bytes(handle: Handle, mapped: Any) -> memoryview:
    if handle.file.pid == os.getpid():
        remember(mapped, handle.nonce)
    return memoryview(mapped).cast("B")


def _map(handle: Handle, make: Callable[[SharedFile], Any]) -> Any:
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
                mapped = make(file)
                if 0 <= handle.ticket < TICKETS:
                    number = os.getpid().to_bytes(4, sys.byteorder)
                    file.write(number, taker_at(handle.ticket))
                    file.write(ARRIVED, TICKETS_AT + handle.ticket)
                return mapped
    except FileNotFoundError as error:
        if _is_of_other_container(handle):
            raise HandshakeError(
                f"The data of {name!r} cannot be opened: this process numbers "
                "processes in another way than the kernel, as in a container, so it "
                f"does not find the kernel. Share it with %share {name} --no-handover, "
                "or use its proxy."
            ) from error
    except PermissionError as error:
        if is_of_signal_handler(error):
            raise
        # The system also reports this for a process that is ending.
        if not _is_of_other_container(handle) and not has_ended(handle.file.pid):
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


def _is_of_other_container(handle: Handle) -> bool:
    """
    Return whether the number of the kernel's process means nothing here.
    """
    return handle.file.namespace not in (0, pid_namespace())


def _decoded(decode: Callable[[Any], _T], data: Any) -> _T:
    try:
        return decode(data)
    except DAMAGED as error:
        raise DataDecodeError(
            f"The handle to a shared object is damaged: {error}. Pass the object again."
        ) from error
