"""
Attributes of classes and modules of others: replaced, and restored.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Replacements"]

_ABSENT = object()


class Replacements:
    """
    The attributes that were replaced.
    """

    def __init__(self) -> None:
        # Each: the holder, the attribute's name, our value, and the former value.
        self._placed: list[tuple[Any, str, Any, Any]] = []

    def put(self, holder: Any, name: str, ours: Any) -> None:
        """
        Replace an attribute of a class or a module.
        """
        # Recorded first, so `restore` finds it after an interrupt.
        self._placed.append((holder, name, ours, vars(holder).get(name, _ABSENT)))
        setattr(holder, name, ours)

    def has(self, holder: Any, name: str) -> bool:
        """
        Return whether an attribute is one of ours.
        """
        present = vars(holder).get(name)
        return any(present is ours for _, _, ours, _ in self._placed)

    def restore(self) -> None:
        """
        Restore every attribute that other code has not replaced later.

        Such code may call what it replaced, which then has to do nothing by itself.
        """
        while self._placed:
            holder, name, ours, before = self._placed.pop()
            if vars(holder).get(name) is not ours:
                continue
            if before is _ABSENT:
                delattr(holder, name)
            else:
                setattr(holder, name, before)
