"""
Descriptors and their owners.

The rule of the package: a descriptor belongs to one object and is closed when that
object goes. No code gives the number of a descriptor to a call that releases the
interpreter while another thread can close it: the thread that uses the number holds
the object that owns it. Otherwise the system may have given the number to another file
of the process meanwhile, and that file would be read or written in its place.
"""

from __future__ import annotations

import os
from collections import deque

__all__ = ["Descriptor"]


class Descriptor:
    """
    The owner of one descriptor, which is closed with the last reference to its owner.

    Args:
        number: The descriptor; it belongs to this object from here on.
    """

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        self._number = number

    @classmethod
    def take_over(cls, numbers: list[int]) -> Descriptor:
        """
        Take over the last one of some descriptors.

        Args:
            numbers: They belong to whoever has this list, and are closed with it; the
                last one leaves it and belongs to what this gives.
        """
        descriptor = cls(-1)
        # One call of C functions, so no interrupt comes between them: the descriptor
        # is the list's before it and the owner's after it.
        deque(map(setattr, (descriptor,), ("_number",), map(list.pop, (numbers,))), 0)
        return descriptor

    def fileno(self) -> int:
        """
        Give the number; whoever uses it keeps this object for that time.
        """
        return self._number

    def __del__(self) -> None:
        # One whose making was interrupted has no number yet.
        number = getattr(self, "_number", -1)
        if number >= 0:
            os.close(number)

    def __repr__(self) -> str:
        return f"<Descriptor {self._number}>"
