"""
Escapes texts of other code for display in a terminal.
"""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    """
    Escape control characters, which names and messages may hold.

    Line ends, escape codes and direction marks are written as ``repr`` writes them.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
