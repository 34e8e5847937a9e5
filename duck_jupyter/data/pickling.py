"""
From an object to its head and its buffers, and back.

The head is a pickle of protocol 5. The buffers are the object's own memory; the pickle
refers to them by number. Memory that libraries pickle out of band themselves is left to
the object's own ``__reduce_ex__``; `reducers` handles other memory.
"""

from __future__ import annotations

import io
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DataEncodeError, ProxyError
from ..memory.copying import address_of
from ..protocol.values import HookPickler, cloud_dumps, loads, reduce_main_only
from .read_only import may_be_unwritten
from .reducers.registry import find_help
from .unpicklable import describe_culprit

if TYPE_CHECKING:
    import pickle
    from collections.abc import Callable, Sequence

__all__ = ["Dumped", "dump", "load"]

#: This many buffers are out of band whatever their size, so that small arrays are as
#: writable or read-only as large ones; a random forest has some thousands.
ANY_SIZE_BUFFERS = 4096
#: Beyond this number, smaller buffers are cheaper in the head.
OUT_OF_BAND_BYTES = 256


class Dumped(NamedTuple):
    """
    The head and the buffers of an object, valid until it is changed.
    """

    #: The pickle without its buffers.
    head: bytes
    #: Flat bytes in the order of pickling; they keep the object's memory in place.
    buffers: list[memoryview]
    #: Whether read-only memory may be as good for it: see `read_only`.
    unwritten: bool = False

    @property
    def spans(self) -> list[tuple[int, int]]:
        """
        The addresses and sizes of the buffers.
        """
        return [(address_of(buffer), len(buffer)) for buffer in self.buffers]

    def is_shaped_as(self, other: Dumped) -> bool:
        """
        Return whether another state differs at most in the content of its buffers.
        """
        same_sizes = list(map(len, self.buffers)) == list(map(len, other.buffers))
        return same_sizes and self.head == other.head


class _Hook:
    """
    Called for every object that is not a plain builtin.
    """

    def __init__(self) -> None:
        self.known: dict[type, Callable[[Any], Any] | None] = {}

    def __call__(self, value: Any) -> Any:
        kind = type(value)
        try:
            reduce = self.known[kind]
        except KeyError:
            reduce = self.known[kind] = _find_reducer(kind)
        return NotImplemented if reduce is None else reduce(value)


class _RecordingHook(_Hook):
    """
    A hook that records the object at which pickling failed.
    """

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.last = value

    def __call__(self, value: Any) -> Any:
        self.last = value
        return super().__call__(value)


def _find_reducer(kind: type) -> Callable[[Any], Any] | None:
    if kind is FunctionType or issubclass(kind, type):
        return reduce_main_only
    return find_help(kind)


def dump(value: Any, name: str, *, out_of_band: bool = True) -> Dumped:
    """
    Return the head and buffers of an object, without copying memory if possible.

    An object that did not change gives the same head and the same bytes.

    Args:
        value: The object.
        name: The name of the object in messages.
        out_of_band: Whether to leave its memory in place; otherwise all of it is copied
            into the head in one step.

    Raises:
        DataEncodeError: It holds something that cannot be pickled.
        RuntimeError: Another thread changed it at the same time.
    """
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        try:
            raw = buffer.raw()
        except (
            BufferError
        ):  # not contiguous: pickle refuses it in band too, and raises the error
            return True
        size = raw.nbytes
        few = len(buffers) < ANY_SIZE_BUFFERS
        if not out_of_band or not size or (size < OUT_OF_BAND_BYTES and not few):
            return True
        buffers.append(raw)
        return False

    out = io.BytesIO()
    pickler: Any = HookPickler(out, 5, buffer_callback=keep)
    pickler.hook = _Hook()
    try:
        pickler.dump(value)
    except (ProxyError, MemoryError):
        raise
    except Exception as error:  # __reduce__ may run any code of the user
        if _tells_of_change(error):
            raise
        buffers.clear()
        return Dumped(_dump_by_value(value, name, keep), buffers)
    return Dumped(out.getvalue(), buffers, may_be_unwritten(value))


def _dump_by_value(
    value: Any, name: str, keep: Callable[[pickle.PickleBuffer], bool]
) -> bytes:
    """
    Pickle with the definitions of objects that cannot be imported, such as a lambda.
    """
    hook = _RecordingHook(value)
    try:
        return cloud_dumps(value, hook, keep)
    except DataEncodeError as error:
        cause = error.__cause__
        if cause is None:  # raised by other code, whose message says more
            raise
        if isinstance(cause, MemoryError) or _tells_of_change(cause):
            raise cause from None
        raise DataEncodeError(
            describe_culprit(value, name, hook.last, cause)
        ) from cause


def _tells_of_change(error: BaseException) -> bool:
    """
    Return whether another thread changed the object during the pickling.
    """
    return isinstance(error, RuntimeError) and "during iteration" in str(error)


def load(head: bytes | memoryview, buffers: Sequence[Any]) -> Any:
    """
    Rebuild an object over the memory of the buffers.

    Args:
        head: The head from `dump`.
        buffers: As many buffers as `dump` returned, with the same bytes. The object's
            arrays are writable if their buffers are.

    Raises:
        DataDecodeError: It cannot be rebuilt here.
    """
    return loads(memoryview(head), buffers)
