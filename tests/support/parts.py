"""
What workers do with parts of arrays and frames that they are given.
"""

from __future__ import annotations

from typing import Any

__all__ = ["fill", "fill_a", "look_at_part"]


def fill(part: Any) -> None:
    """
    Write 1 to every element of an array.
    """
    part[...] = 1


def fill_a(part: Any) -> None:
    """
    Write 1 to the column ``a`` of a frame.
    """
    part.loc[:, "a"] = 1


def look_at_part(part: Any) -> tuple[float, bool]:
    """
    Give the sum of an array, then write to it, and tell whether that is seen in it.
    """
    before = float(part.sum())
    part[...] = 0
    return before, not part.any()
