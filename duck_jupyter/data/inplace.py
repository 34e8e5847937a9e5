"""
In place: an object whose own memory is shared, so that all processes see every write.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import DataEncodeError, NotShareable
from ..memory.copying import address_of
from .fetched_versions import find_origin
from .handles import Lent
from .layout import Layout
from .part_lookup import InplaceLook
from .parts import Memory
from .pickling import ANY_SIZE_BUFFERS, dump, load
from .versions import Version, Versions

if TYPE_CHECKING:
    from ..memory.files import FileKey
    from .handles import Handle

__all__ = ["Inplace", "in_ordinary_memory"]

#: Kinds of numpy's dtypes whose values are stored in the array itself.
FIXED_WIDTH = frozenset("biufcmMSUV")


class Inplace:
    """
    An object moved to shared memory, and its only version.

    Args:
        value: A numpy array, or a pandas DataFrame with columns of fixed width; it is
            not changed.
        name: The name of the object in messages.
        readonly: Whether writing is refused to workers.

    Raises:
        NotShareable: It cannot be moved; the message gives the reason.
        DataTooBigError: There is no space for it.
    """

    def __init__(self, value: Any, name: str, *, readonly: bool = False) -> None:
        _check(value, name)
        self.name = name
        self._readonly = readonly
        self._lock = threading.Lock()
        self._closed = False
        dumped = dump(value, name)
        if len(dumped.buffers) >= ANY_SIZE_BUFFERS:
            # Further buffers, if small, would be in the head, which is not shared.
            raise _refusal(f"{name!r} is in {len(dumped.buffers):,} pieces")
        self._version = Version(dumped, Layout(dumped), name)
        #: The same data in shared memory, writable.
        self.object: Any = self._version.load_here()
        self._looks = self._look()

    @property
    def nonce(self) -> bytes:
        """
        A value that differs between memories.
        """
        return self._version.nonce

    def _look(self) -> tuple[bytes, list[tuple[int, int]]] | None:
        """
        Return the structure of the object, and the addresses of its buffers.
        """
        value = self.object
        if hasattr(value, "columns"):
            # Not the frame's own pickle: pandas before 3 stores in a column whether its
            # dates are regular, and a write by any process may change that.
            shape: Any = (value.columns, value.index, list(value.dtypes))
        else:
            shape = (value.shape, value.dtype)
        try:
            head = dump(shape, self.name).head
            buffers = dump(value, self.name).buffers
        except DataEncodeError:  # it now holds something that cannot be moved
            return None
        return head, [(address_of(buffer), len(buffer)) for buffer in buffers]

    def holds(self, value: Any) -> bool:
        """
        Return whether all memory of an object is in this shared memory.

        A DataFrame that is given a column stores it in other memory, and pandas copies
        a column before a write if the column is also held elsewhere.
        """
        return value is self.object and self._look() == self._looks

    def handle(self, target: Any) -> Handle:
        """
        Return a handle to the memory itself.

        Raises:
            NotShareable: The name now has another object, or the object has left the
                shared memory, or is no longer shared.
        """
        self._check_target(target)
        with self._lock:
            return self._in_place(self._open_version().handle())

    def lend(self, target: Any) -> Lent[Handle]:
        """
        Return a handle to the memory itself, which can be released.

        Raises:
            NotShareable: As for `handle`.
        """
        self._check_target(target)
        with self._lock:
            lent = self._open_version().lend()
        return Lent(self._in_place(lent.handle), lent.give_up)

    def _check_target(self, target: Any) -> None:
        """
        Refuse an object that is not in the shared memory.
        """
        if target is not self.object:
            raise NotShareable(
                f"{self.name!r} was assigned another value after it was shared in "
                "place, and the new value is in ordinary memory. To share it in place "
                f"as well: %share --inplace {self.name}"
            )
        if not self.holds(target):
            raise NotShareable(
                f"{self.name!r}, or a part of it, is no longer in the shared memory: "
                "it was given new columns, a new index or a new shape, or pandas "
                "copied a column before a write, because it was also held elsewhere. "
                f"To share it in place as it is now: %share --inplace {self.name}"
            )

    def _open_version(self) -> Version:
        if self._closed:
            raise NotShareable(
                f"{self.name!r} is no longer shared in place. Share it again with "
                f"%share --inplace {self.name}, or pass it as it is."
            )
        return self._version

    def _in_place(self, handle: Handle) -> Handle:
        return msgspec.structs.replace(handle, inplace=True, readonly=self._readonly)

    def look(self, target: Any) -> InplaceLook:
        """
        Return an object that finds parts of the memory in one pickle.

        Args:
            target: The object of the name.
        """
        return InplaceLook(self, target)

    def offset_of(self, low: int, high: int) -> int | None:
        """
        Return the offset of addresses in the shared memory, wherever it is mapped here.

        Args:
            low: The first address.
            high: The address after the last one.

        Returns:
            Bytes from its start; None if they are other memory.
        """
        with self._lock:
            if self._closed:
                return None
            origin = find_origin(low, high)
            if origin is None:
                return self._version.offset_of(low, high)
            return origin.offset if origin.nonce == self._version.nonce else None

    def memory(self) -> Memory | None:
        """
        Return the whole memory for parts to refer to; None if it is no longer shared.
        """
        with self._lock:
            if self._closed:
                return None
            return Memory(self._in_place(self._version.handle()))

    def takers(self) -> dict[FileKey, set[int]]:
        """
        Tell which processes took the memory, by file.
        """
        with self._lock:
            return {} if self._closed else dict([self._version.takers()])

    def renew(self) -> None:
        """
        Note that the name now has another object; `handle` will then raise.
        """

    @property
    def is_untidy(self) -> bool:
        """
        False: there is never more than one version.
        """
        return False

    def drop_spares(self) -> None:
        """
        Do nothing: there is no unused memory.
        """

    def retire(self) -> bool:
        """
        Release it for new workers, once all handles have arrived.

        Returns:
            Whether all handles have arrived.
        """
        with self._lock:
            if self._closed:
                return True
            if self._version.on_its_way:
                return False
            self._close()
            return True

    def versions(self) -> Versions:
        """
        Return the counts of its versions.
        """
        with self._lock:
            if self._closed:
                return Versions()
            size = self._version.size
            mapped = size if self._version.is_mapped else 0
            spooled = size if self._version.is_spooled else 0
            return Versions(1, size, mapped, 0, spooled)

    def close(self) -> None:
        """
        Release it for new workers; the object and workers that map it keep it.
        """
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._closed = True
        self._version.close()

    def after_fork(self) -> None:
        """
        In a forked child, drop what belongs to the parent; the object stays shared.
        """
        self._lock = threading.Lock()
        self._close()


def in_ordinary_memory(value: Any) -> Any:
    """
    Copy the object of an `Inplace` into private memory of this process.
    """
    if not hasattr(value, "columns"):
        return value.copy(order="K")
    try:
        dumped = dump(value, "value")
    except DataEncodeError:  # it was given a column that cannot be pickled
        return value.copy()
    # A copy by pandas would keep the index and columns in the shared memory.
    return load(dumped.head, [bytearray(buffer) for buffer in dumped.buffers])


def _check(value: Any, name: str) -> None:
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and type(value) is numpy.ndarray:
        _check_dtype(value.dtype, f"{name!r}")
        return
    pandas: Any = sys.modules.get("pandas")
    if pandas is not None and type(value) is pandas.DataFrame:
        for column, dtype in zip(value.columns, value.dtypes, strict=True):
            own_memory = (pandas.ArrowDtype, pandas.SparseDtype)
            if isinstance(dtype, own_memory):
                raise _refusal(f"column {column!r} of {name!r} is {dtype}")
            _check_dtype(dtype, f"column {column!r} of {name!r}")
        return
    kind = type(value)
    where = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    raise _refusal(f"{name!r} is a {where}{kind.__qualname__}")


def _check_dtype(dtype: Any, what: str) -> None:
    if dtype.kind not in FIXED_WIDTH or getattr(dtype, "hasobject", False):
        raise _refusal(f"{what} is {dtype}")


def _refusal(reason: str) -> NotShareable:
    return NotShareable(
        "A value that is shared in place must be a numpy array of numbers, dates or "
        f"fixed-width text, or a pandas DataFrame of such columns, but {reason}. Share "
        "it without --inplace: workers get private copies of it, and its proxy makes "
        "changes that all processes see."
    )
