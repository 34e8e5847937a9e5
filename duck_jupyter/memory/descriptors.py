"""
Descriptors and their owners.

The rule of the package: a descriptor belongs to one object and is closed when that
object goes. No code gives the number of a descriptor to a call that releases the
interpreter while another thread can close it: the thread that uses the number holds
the object that owns it. Otherwise the system may have given the number to another file
of the process meanwhile, and that file would be read or written in its place.

An interrupt may come between two instructions of Python code, and never inside one call
of C functions. So what opens, passes on or closes a descriptor is one such call.
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
    A reference to an owner that closes the descriptor when the owner goes.
    """

    __slots__ = ("close",)

    close: Any


#: By the number of the descriptor; one that has closed it stays until the number comes
#: again. A reference that only its owner had would go with it, and not be called.
_closings: dict[int, _Closing] = {}


class Descriptor:
    """
    The owner of one descriptor, which is closed with the last reference to its owner.

    Args:
        number: The descriptor; it belongs to this object from here on.
    """

    __slots__ = ("__weakref__", "_number")

    def __init__(self, number: int) -> None:
        self._take([number])

    @classmethod
    def take_over(cls, numbers: list[int]) -> Descriptor:
        """
        Take over the last one of some descriptors.

        Args:
            numbers: The owner of this list owns them, and they are closed with it; the
                last one leaves it and belongs to what this gives.
        """
        descriptor = cls.__new__(cls)
        descriptor._take(numbers)
        return descriptor

    def _take(self, numbers: list[int]) -> None:
        self._number = number = numbers[-1]
        # Called when this object goes; no Python code runs then, which an interrupt
        # could cut short.
        _closings[number] = closing = _Closing(self, methodcaller("close"))
        closing.close = _nothing
        takes = map(partial, (os.close,), map(list.pop, (numbers,)))
        deque(map(setattr, (closing,), ("close",), takes), 0)

    def fileno(self) -> int:
        """
        Return the number. The user of the number keeps this object for that time.
        """
        return self._number

    def __repr__(self) -> str:
        return f"<Descriptor {self._number}>"


class Descriptors(list[int]):
    """
    Descriptors that nobody has taken over yet; they are closed with it.
    """

    def open(self, path: str, flags: int) -> int:
        """
        Open a file, and give its descriptor, which belongs to this list.

        Args:
            path: The file.
            flags: As `os.open` takes them.

        Raises:
            OSError: It cannot be opened.
        """
        self.extend(map(os.open, (path,), (flags,)))
        return self[-1]

    def close(self) -> None:
        """
        Close what was not taken over; twice is fine.
        """
        deque(map(os.close, map(list.pop, repeat(self, len(self)))), 0)

    def __del__(self) -> None:
        self.close()


def _nothing() -> None:
    """
    Close nothing: the descriptor has not come yet.
    """
