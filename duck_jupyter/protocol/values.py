"""
From values to bytes and back.

None, bool, int of 64 bits, float, str and bytes, by exact type, are plain msgpack. Any
other value is one extension that holds a pickle of protocol 5. msgspec alone would
silently turn tuples and sets into lists.
"""

from __future__ import annotations

import io
import pickle
import struct
from types import NoneType
from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Encoder, Ext

from ..errors import DataDecodeError, DataEncodeError, ProxyError
from ..interrupts import is_of_signal_handler
from .main_module import is_of_main, reduce_of_main

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "MUTABLE_TYPES",
    "PICKLED",
    "PICKLED_WITH_BUFFERS",
    "PLAIN_TYPES",
    "HookPickler",
    "cloud_dumps",
    "dumps",
    "encode",
    "load_extension",
    "loads",
    "reduce_main_only",
    "wrap",
    "wrap_payload",
]

#: The extension code of a pickle.
PICKLED = 1
#: The extension code of a pickle with some of its buffers outside the frame.
PICKLED_WITH_BUFFERS = 5
BUFFER_RANGE = struct.Struct(">II")
#: Buffers of at least this many bytes are sent outside the pickle.
OUT_OF_BAND_BYTES = 16 * 1024
#: The sizes of this many buffers fit the smallest lane; more are copied into the
#: pickle.
MOST_BUFFERS = 8

PLAIN_TYPES = frozenset({NoneType, bool, int, float, str, bytes})
#: A copy of such a value can be changed, and the change is lost with the copy.
MUTABLE_TYPES = frozenset({list, dict, set, bytearray})
encode: Callable[[Any], bytes] = Encoder().encode


class HookPickler(pickle.Pickler):
    """
    A pickler in C with a hook for all values that are not plain builtins.
    """

    hook: Callable[[Any], Any]

    def reducer_override(self, value: Any) -> Any:
        """
        Call the hook.
        """
        return self.hook(value)


def dumps(
    value: Any,
    hook: Callable[[Any], Any],
    buffers: list[pickle.PickleBuffer] | None = None,
) -> bytes:
    """
    Pickle a value, with cloudpickle if pickle refuses.

    Args:
        value: The value.
        hook: Called for each value that is not a plain builtin; returns its reduced
            form or NotImplemented, like ``Pickler.reducer_override``.
        buffers: Gets the large buffers of the value, which then are not in the bytes;
            with None everything is in the bytes.

    Raises:
        DataEncodeError: The value cannot be pickled.
    """

    def keep(buffer: pickle.PickleBuffer) -> bool:
        assert buffers is not None
        if len(buffers) >= MOST_BUFFERS:
            return True
        try:
            if buffer.raw().nbytes < OUT_OF_BAND_BYTES:
                return True
        except BufferError:
            return True
        buffers.append(buffer)
        return False

    callback = None if buffers is None else keep
    before = 0 if buffers is None else len(buffers)
    out = io.BytesIO()
    pickler: Any = HookPickler(out, 5, buffer_callback=callback)
    pickler.hook = hook
    try:
        pickler.dump(value)
    except ProxyError:
        raise  # raised by the hook; its message says more
    except Exception:  # __reduce__ may run any code of the user
        if buffers is not None:
            del buffers[before:]
    else:
        return out.getvalue()
    return cloud_dumps(value, hook, callback)


def cloud_dumps(value: Any, hook: Callable[[Any], Any], callback: Any) -> bytes:
    """
    Pickle a value with cloudpickle, which includes definitions.

    Args:
        value: The value.
        hook: As for `dumps`.
        callback: Called with each buffer, as by ``Pickler``; or None.

    Raises:
        DataEncodeError: The value cannot be pickled; its cause gives the reason.
    """
    import cloudpickle  # slow to import, and only needed if pickle refused

    class CloudPickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, value: Any) -> Any:
            reduced = hook(value)
            if reduced is NotImplemented:
                reduced = super().reducer_override(value)
            return reduced

    out = io.BytesIO()
    try:
        CloudPickler(out, 5, buffer_callback=callback).dump(value)
    except ProxyError:
        raise
    except Exception as error:
        raise DataEncodeError(
            f"This {type(value).__name__} cannot be sent: {type(error).__name__}: "
            f"{error}. Share it (%share NAME) and pass its proxy, or pass plain values "
            "instead."
        ) from error
    return out.getvalue()


def wrap(
    value: Any,
    hook: Callable[[Any], Any],
    buffers: list[pickle.PickleBuffer] | None = None,
) -> Any:
    """
    Return the encoded form of a value in a payload: the value itself, or a pickle.
    """
    kind = type(value)
    if kind is Ext:
        return value
    if kind in PLAIN_TYPES and _fits_msgpack(value, kind):
        return value
    if buffers is None:
        return Ext(PICKLED, dumps(value, hook))
    first = len(buffers)
    data = dumps(value, hook, buffers)
    count = len(buffers) - first
    if not count:
        return Ext(PICKLED, data)
    return Ext(PICKLED_WITH_BUFFERS, BUFFER_RANGE.pack(first, count) + data)


def wrap_payload(
    payload: Sequence[Any],
    hook: Callable[[Any], Any],
    buffers: list[pickle.PickleBuffer] | None = None,
) -> list[Any]:
    """
    Return the encoded form of a payload: each value and each argument separately.

    Args:
        payload: The items of a frame; if there are four, the last two hold arguments.
        hook: As for `dumps`.
        buffers: As for `dumps`.
    """
    if len(payload) != 4:
        return [wrap(item, hook, buffers) for item in payload]
    idx, method, args, kwargs = payload
    if type(args) is list:
        args = [wrap(item, hook, buffers) for item in args]
    else:
        args = wrap(args, hook, buffers)
    # msgpack would convert keys that are dates or numbers to text.
    if type(kwargs) is dict and all(
        type(k) is str and _fits_msgpack(k, str) for k in kwargs
    ):
        kwargs = {k: wrap(v, hook, buffers) for k, v in kwargs.items()}
    else:
        kwargs = wrap(kwargs, hook, buffers)
    return [wrap(idx, hook), wrap(method, hook), args, kwargs]


def load_extension(code: int, data: memoryview, buffers: Sequence[Any]) -> Any:
    """
    Load the pickle in an extension.

    Args:
        code: `PICKLED` or `PICKLED_WITH_BUFFERS`.
        data: The content of the extension.
        buffers: All buffers of the message.

    Raises:
        DataDecodeError: It is not such an extension, or cannot be rebuilt here.
    """
    if code == PICKLED:
        return loads(data)
    if code == PICKLED_WITH_BUFFERS and len(data) > BUFFER_RANGE.size:
        first, count = BUFFER_RANGE.unpack_from(data)
        return loads(data[BUFFER_RANGE.size :], buffers[first : first + count])
    raise DataDecodeError(f"The frame holds an extension of unknown kind {code}.")


def _fits_msgpack(value: Any, kind: type) -> bool:
    """
    Return whether msgpack can encode a value of a plain type; pickle can encode all.
    """
    if kind is int:
        return bool(-(2**63) <= value < 2**63)
    if kind is not str or value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def reduce_main_only(value: Any) -> Any:
    """
    A `dumps` hook that only includes the definitions of ``__main__``.
    """
    return reduce_of_main(value) if is_of_main(value) else NotImplemented


def loads(data: memoryview, buffers: Sequence[Any] = ()) -> Any:
    """
    Load a pickle from a frame.

    Raises:
        DataDecodeError: It cannot be rebuilt here.
    """
    try:
        return pickle.loads(data, buffers=buffers)
    except (DataDecodeError, RecursionError, MemoryError):
        raise
    except Exception as error:
        if is_of_signal_handler(error):
            raise
        advice = (
            " A module that is missing here must be installed, or be placed where "
            "this process can import it."
            if isinstance(error, (ImportError, AttributeError))
            else ""
        )
        raise DataDecodeError(
            f"A value of {len(data)} bytes cannot be rebuilt in this process: "
            f"{type(error).__name__}: {error}.{advice}"
        ) from error
