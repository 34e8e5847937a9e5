"""
In place: an object whose own memory is shared, so that everyone sees every write.
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
from .part_lookup import InplaceLook
from .parts import Memory
from .pickling import ANY_SIZE_BUFFERS, dump, load
from .versions import Layout, Version, Versions

if TYPE_CHECKING:
    from ..memory.files import FileKey
    from .handles import Handle

__all__ = ["Inplace", "in_ordinary_memory"]

#: Kinds of numpy's dtypes whose values lie in the array itself.
FIXED_WIDTH = frozenset("biufcmMSUV")


class Inplace:
    """
    An object moved to shared memory, and its only version.

    Args:
        value: A numpy array, or a pandas DataFrame whose columns are of fixed width;
            it stays as it is.
        name: What messages call it.
        readonly: Workers may not write.

    Raises:
        NotShareable: It cannot be moved; the message says why.
        DataTooBigError: There is no room for it.
    """

    def __init__(self, value: Any, name: str, *, readonly: bool = False) -> None:
        _check(value, name)
        self.name = name
        self._readonly = readonly
        self._lock = threading.Lock()
        self._closed = False
        dumped = dump(value, name)
        if len(dumped.buffers) >= ANY_SIZE_BUFFERS:
            # The rest of them, if small, is in the head, which nobody shares.
            raise _refusal(f"{name!r} is in {len(dumped.buffers):,} pieces")
        self._version = Version(dumped, Layout(dumped), name)
        #: The same data in shared memory, writable.
        self.object: Any = self._version.load_here()
        self._looks = self._look()

    def _look(self) -> tuple[bytes, list[tuple[int, int]]] | None:
        """
        Tell what the object is made of, and where that lies.
        """
        value = self.object
        if hasattr(value, "columns"):
            # Not the frame's own pickle: pandas before 3 keeps in a column whether its
            # dates are regular, and a write that everyone sees may change that.
            shape: Any = (value.columns, value.index, list(value.dtypes))
        else:
            shape = (value.shape, value.dtype)
        try:
            head = dump(shape, self.name).head
            buffers = dump(value, self.name).buffers
        except DataEncodeError:  # it was given something that cannot be moved
            return None
        return head, [(address_of(buffer), len(buffer)) for buffer in buffers]

    def holds(self, value: Any) -> bool:
        """
        Tell whether an object lies in this memory, all of it.

        A DataFrame that is given a column has that in memory of its own, and pandas
        copies a column before it writes to it where somebody else has it as well.
        """
        return value is self.object and self._look() == self._looks

    def handle(self, target: Any) -> Handle:
        """
        Give what stands for the memory itself.

        Raises:
            NotShareable: The name stands for another object by now, or the object has
                left the shared memory, or is not shared any more.
        """
        self._check_target(target)
        with self._lock:
            return self._in_place(self._open_version().handle())

    def lend(self, target: Any) -> Lent[Handle]:
        """
        Give what stands for the memory itself, until it is given up.

        Raises:
            NotShareable: As `handle`.
        """
        self._check_target(target)
        with self._lock:
            lent = self._open_version().lend()
        return Lent(self._in_place(lent.handle), lent.give_up)

    def _check_target(self, target: Any) -> None:
        """
        Refuse what does not lie in the shared memory.
        """
        if target is not self.object:
            raise NotShareable(
                f"{self.name!r} was given another value since it was shared in place, "
                "and that lies in ordinary memory. To share it in place as well: "
                f"%share --inplace {self.name}"
            )
        if not self.holds(target):
            raise NotShareable(
                f"{self.name!r} has left the shared memory, or a part of it has: it "
                "was given columns, an index or a shape of its own, or pandas copied a "
                "column that was also held elsewhere before it wrote to it. To share "
                f"it in place as it is now: %share --inplace {self.name}"
            )

    def _open_version(self) -> Version:
        if self._closed:
            raise NotShareable(
                f"{self.name!r} is not shared in place any more. Share it again, "
                f"%share --inplace {self.name}, or pass it on as it is."
            )
        return self._version

    def _in_place(self, handle: Handle) -> Handle:
        return msgspec.structs.replace(handle, inplace=True, readonly=self._readonly)

    def look(self, target: Any) -> InplaceLook:
        """
        Find parts of the memory in one pickle.

        Args:
            target: The object that the name stands for.
        """
        return InplaceLook(self, target)

    def offset_of(self, low: int, high: int) -> int | None:
        """
        Tell where addresses lie in the shared memory, wherever it is mapped here.

        Args:
            low: The first address.
            high: The address after the last one.

        Returns:
            Bytes from its beginning; None where they are other memory.
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
        Give what stands for all the memory; None where it is not shared any more.
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
        Note that the name stands for another object now: `handle` will say so.
        """

    @property
    def is_untidy(self) -> bool:
        """
        There is never more than one version.
        """
        return False

    def drop_spares(self) -> None:
        """
        Keep no memory that nobody uses: there is none.
        """

    def retire(self) -> bool:
        """
        Give it to no more workers, when all handles on their way have arrived.

        Returns:
            Whether they have.
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
        Tell what is kept.
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
        Give it to no more workers; who has it goes on, and so does the object here.
        """
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._closed = True
        self._version.close()

    def after_fork(self) -> None:
        """
        In a child, give up what belongs to the parent; the object stays as shared.
        """
        self._lock = threading.Lock()
        self._close()


def in_ordinary_memory(value: Any) -> Any:
    """
    Copy the object of an `Inplace` into memory of this process alone.
    """
    if not hasattr(value, "columns"):
        return value.copy(order="K")
    try:
        dumped = dump(value, "value")
    except DataEncodeError:  # it was given a column of what cannot be pickled
        return value.copy()
    # The copy that pandas makes has its index and columns where they were.
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
        "Only a numpy array of numbers, dates or fixed-width text, or a pandas "
        f"DataFrame of such columns, can be shared in place, and {reason}. Share it "
        "without --inplace: workers get private copies of it, and its proxy for "
        "changes that everyone is to see."
    )
