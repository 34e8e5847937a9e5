"""
Attributes of other people's classes, replaced by ours and put back.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Places"]

_ABSENT = object()


class Places:
    """
    The attributes that were replaced.
    """

    def __init__(self) -> None:
        # Where, under which name, what of ours, and what was there before.
        self._placed: list[tuple[Any, str, Any, Any]] = []

    def put(self, holder: Any, name: str, ours: Any) -> None:
        """
        Replace an attribute of a class or a module.
        """
        # Noted first: whatever happens in between, `restore` finds it.
        self._placed.append((holder, name, ours, vars(holder).get(name, _ABSENT)))
        setattr(holder, name, ours)

    def has(self, holder: Any, name: str) -> bool:
        """
        Tell whether an attribute is one of ours.
        """
        present = vars(holder).get(name)
        return any(present is ours for _, _, ours, _ in self._placed)

    def restore(self) -> None:
        """
        Put everything back that nobody has replaced after us.
        """
        while self._placed:
            holder, name, ours, before = self._placed.pop()
            if vars(holder).get(name) is not ours:
                continue
            if before is _ABSENT:
                delattr(holder, name)
            else:
                setattr(holder, name, before)
