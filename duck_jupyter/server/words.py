"""
What is served, and to whom, in words.
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING

from ..stats.text import many

if TYPE_CHECKING:
    from .objects import Entry

__all__ = ["expression_of", "serving_in_words", "title_of"]


def title_of(entry: Entry) -> str:
    """
    Name an object for messages: ``n``, ``cfg.paths``, or ``list (object 3)``.
    """
    if entry.policy.is_named:
        return entry.path
    return f"{entry.path} (object {entry.idx})"


def expression_of(entry: Entry) -> str:
    """
    Give what is typed in the notebook for the proxy of a shared object.

    Returns:
        ``"shared.NAME"``; empty for an object that is not shared under a name.
    """
    if entry.level or not entry.policy.is_named:
        return ""
    name = entry.policy.name
    if name.isidentifier() and not keyword.iskeyword(name):
        return f"shared.{name}"
    return f"shared[{name!r}]"


def serving_in_words(objects: int, workers: int, *, called: bool) -> str:
    """
    Say what a server does, as a sentence without its end.

    Args:
        objects: How many are shared.
        workers: How many are connected.
        called: There was a call already.
    """
    if not objects:
        return "Ready, nothing shared yet"
    words = f"Serving {many(objects, 'object')}"
    if workers:
        return f"{words} to {many(workers, 'worker')}"
    if called:
        return f"{words}; no worker is connected now"
    return f"{words}; no worker has connected yet"
