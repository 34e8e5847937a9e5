"""
The titles of objects in messages, and their expressions in the notebook.
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .table import Entry

__all__ = ["expression_of", "title_of"]


def title_of(entry: Entry) -> str:
    """
    Name an object for messages: ``n``, ``cfg.paths``, or ``list (object 3)``.
    """
    if entry.policy.is_named:
        return entry.path
    return f"{entry.path} (object {entry.idx})"


def expression_of(entry: Entry) -> str:
    """
    Return the expression for the proxy of a shared object in the notebook.

    Returns:
        ``"shared.NAME"``; empty for an object that is not shared under a name.
    """
    if entry.level or not entry.policy.is_named:
        return ""
    name = entry.policy.name
    if name.isidentifier() and not keyword.iskeyword(name):
        return f"shared.{name}"
    return f"shared[{name!r}]"
