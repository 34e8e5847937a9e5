"""
Descriptors and their owners.

The rule of the package: a descriptor belongs to one object and is closed when that
object is dropped. Pass the number of a descriptor to a call that releases the
interpreter only while you hold its owner; otherwise another thread may close it. The
system may then give the number to another file of the process, and that file would be
read or written instead.

An interrupt may come between two instructions of Python code, but never inside one call
of C functions. So every operation that opens, passes on or closes a descriptor is one
such call.
"""

from __future__ import annotations

import os
import weakref
from collections import deque
from functools import partial
from itertools import repeat
from operator import methodcaller
from typing import Any

__all__ = ["Descriptor", "Descriptors"]


class _Closing(weakref.ref["Descriptor"]):
    """
    A reference to an owner that closes the descriptor when the owner is dropped.
    """

    __slots__ = ("close",)

    close: Any


#: Keyed by the number of the descriptor. The reference stays after it has closed the
#: descriptor, until the number is used again: if only its owner had it, it would be
#: dropped with the owner, and not be called.
_closings: dict[int, _Closing] = {}


class Descriptor:
    """
    Owns one descriptor, which is closed when the owner is dropped.

    Args:
        number: The descriptor; this object owns it from here on.
    """

    __slots__ = ("__weakref__", "_number")

    def __init__(self, number: int) -> None:
        self._take([number])

    @classmethod
    def take_over(cls, numbers: list[int]) -> Descriptor:
        """
        Take over the last descriptor of a list.

        Args:
            numbers: The owner of this list owns them, and closes them. The last one is
                removed from the list, and belongs to the returned object.
        """
        descriptor = cls.__new__(cls)
        descriptor._take(numbers)
        return descriptor

    def _take(self, numbers: list[int]) -> None:
        self._number = number = numbers[-1]
        # Called when this object is dropped; no Python code runs then, so no interrupt
        # can cut it short.
        _closings[number] = closing = _Closing(self, methodcaller("close"))
        closing.close = _nothing
        takes = map(partial, (os.close,), map(list.pop, (numbers,)))
        deque(map(setattr, (closing,), ("close",), takes), 0)

    def fileno(self) -> int:
        """
        Return the number. The user of the number keeps this object meanwhile.
        """
        return self._number

    def __repr__(self) -> str:
        return f"<Descriptor {self._number}>"


class Descriptors(list[int]):
    """
    Descriptors that have no other owner yet; they are closed with this list.
    """

    def open(self, path: str, flags: int) -> int:
        """
        Open a file, add its descriptor to this list, and return it.

        Args:
            path: The file.
            flags: As for `os.open`.

        Raises:
            OSError: It cannot be opened.
        """
        self.extend(map(os.open, (path,), (flags,)))
        return self[-1]

    def close(self) -> None:
        """
        Close the descriptors that were not taken over. Repeated calls do nothing.
        """
        deque(map(os.close, map(list.pop, repeat(self, len(self)))), 0)

    def __del__(self) -> None:
        self.close()


def _nothing() -> None:
    """
    Close nothing: there is no descriptor yet.
    """
