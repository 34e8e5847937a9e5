"""
Foreign texts, as a terminal can show them.
"""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    """
    Escape what a terminal would obey: names and messages may hold any character.

    Line ends, escape codes and marks of direction come as ``repr`` writes them.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
