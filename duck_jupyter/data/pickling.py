"""
An object <-> its head and its buffers.

The head is a pickle of protocol 5; the buffers are the object's own memory, which the
pickle refers to by number. What goes out of band anyway is left to the object's own
``__reduce_ex__``; `helps` does so for what does not.
"""

from __future__ import annotations

import io
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DataEncodeError, ProxyError
from ..memory.copying import address_of
from ..protocol.values import HookPickler, cloud_dumps, loads, reduce_main_only
from .reducers.registry import find_help
from .unpicklable import describe_culprit

if TYPE_CHECKING:
    import pickle
    from collections.abc import Callable, Sequence

__all__ = ["Dumped", "dump", "load"]

#: So many buffers go out of band whatever their size, so that small arrays are as
#: writable or read-only as large ones; a forest of trees has some thousands.
ANY_SIZE_BUFFERS = 4096
#: After those, smaller ones are cheaper in the head than on their own.
OUT_OF_BAND_BYTES = 256


class Dumped(NamedTuple):
    """
    What an object is made of, as long as nobody changes it.
    """

    #: The pickle without its buffers.
    head: bytes
    #: Flat bytes in the order of pickling; they keep the object's memory where it is.
    buffers: list[memoryview]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """
        The addresses and the bytes of the buffers.
        """
        return [(address_of(buffer), len(buffer)) for buffer in self.buffers]

    def is_shaped_as(self, other: Dumped) -> bool:
        """
        Tell whether another state is this one, but for what its buffers hold.
        """
        same_sizes = list(map(len, self.buffers)) == list(map(len, other.buffers))
        return same_sizes and self.head == other.head


class _Hook:
    """
    What is asked about every object that is no plain builtin.
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
    A hook that knows at which object the pickler gave up.
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
    Take an object apart without copying its memory, where it can be helped.

    The same head and the same bytes come of an object that did not change.

    Args:
        value: What to take apart.
        name: What messages call it.
        out_of_band: Otherwise its memory is copied into the head, all at one moment.

    Raises:
        DataEncodeError: It holds something that cannot be pickled.
        RuntimeError: It was changed at the same time.
    """
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        try:
            raw = buffer.raw()
        except (
            BufferError
        ):  # not contiguous: pickle refuses it in band too, and says so
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
    except Exception as error:  # any code of the user's may run in __reduce__
        if _tells_of_change(error):
            raise
        buffers.clear()
        return Dumped(_dump_by_value(value, name, keep), buffers)
    return Dumped(out.getvalue(), buffers)


def _dump_by_value(
    value: Any, name: str, keep: Callable[[pickle.PickleBuffer], bool]
) -> bytes:
    """
    Pickle with the definitions of what cannot be imported, such as a lambda.
    """
    hook = _RecordingHook(value)
    try:
        return cloud_dumps(value, hook, keep)
    except DataEncodeError as error:
        cause = error.__cause__
        if cause is None:  # of another's making, which says more
            raise
        if isinstance(cause, MemoryError) or _tells_of_change(cause):
            raise cause from None
        raise DataEncodeError(
            describe_culprit(value, name, hook.last, cause)
        ) from cause


def _tells_of_change(error: BaseException) -> bool:
    """
    Say whether another thread changed what was being pickled.
    """
    return isinstance(error, RuntimeError) and "during iteration" in str(error)


def load(head: bytes | memoryview, buffers: Sequence[Any]) -> Any:
    """
    Put an object together again, over the memory of the buffers.

    Args:
        head: What `dump` gave.
        buffers: As many as `dump` gave, of the same bytes. What the object has of
            them is as writable as they are.

    Raises:
        DataDecodeError: It cannot be rebuilt here.
    """
    return loads(memoryview(head), buffers)
