"""
The variables of a pool's own loop in a worker, which nothing else gives.

The loops are ``worker`` of multiprocessing.pool, and ``_process_worker`` of
concurrent.futures and of loky. Their variables have the same names in CPython 3.10 to
3.14.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

__all__ = ["find_in_loop"]

#: Frames from our code to the loop, at most.
MOST_FRAMES = 20


def find_in_loop(names: Mapping[str, str]) -> Any:
    """
    Return the value of a variable of the loop that has called this code, or None.

    Args:
        names: The variable's name, by the name of the loop.
    """
    frame: FrameType | None = sys._getframe(1)
    for _ in range(MOST_FRAMES):
        if frame is None:
            return None
        name = names.get(frame.f_code.co_name)
        if name is not None:
            found = frame.f_locals
            value = found.get(name)
            if type(found) is dict:
                # Up to Python 3.12 it is a copy that lives as long as the loop: it
                # would keep the data of the present task.
                found.clear()
            return value
        frame = frame.f_back
    return None
