"""
Place: one key of somebody else's mapping, for a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["Place"]

_MISSING = object()


class Place:
    """
    One key of a mapping that is ours for a time.

    Args:
        mapping: The mapping.
        key: The key.
        value: Our value; what it hides comes back with `leave`.
    """

    def __init__(self, mapping: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        # Some mappings of IPython make what is missing, when they are asked with [].
        self._before = mapping.get(key, _MISSING)
        self._mapping = mapping
        self._key = key
        self._value = value
        mapping[key] = value

    @property
    def is_missing(self) -> bool:
        """
        The key was deleted.
        """
        return self._key not in self._mapping

    def restore(self) -> None:
        """
        Put our value back where it was deleted.
        """
        self._mapping.setdefault(self._key, self._value)

    def leave(self) -> None:
        """
        Give the place back, unless somebody else has taken it.
        """
        if self._mapping.get(self._key, _MISSING) is not self._value:
            return
        if self._before is _MISSING:
            del self._mapping[self._key]
        else:
            self._mapping[self._key] = self._before
