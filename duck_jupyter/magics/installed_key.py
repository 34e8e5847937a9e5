"""
Place: one key of another owner's mapping, for a limited time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["Place"]

_MISSING = object()


class Place:
    """
    One key of a mapping that holds our value for a limited time.

    Args:
        mapping: The mapping.
        key: The key.
        value: Our value; `leave` restores the value that it hides.
    """

    def __init__(self, mapping: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        # Some mappings of IPython create missing keys when they are read with [].
        self._before = mapping.get(key, _MISSING)
        self._mapping = mapping
        self._key = key
        self._value = value
        mapping[key] = value

    @property
    def is_missing(self) -> bool:
        """
        Whether the key was deleted.
        """
        return self._key not in self._mapping

    def restore(self) -> None:
        """
        Set our value again if it was deleted.
        """
        self._mapping.setdefault(self._key, self._value)

    def leave(self) -> None:
        """
        Restore the former value, unless other code has set the key.
        """
        if self._mapping.get(self._key, _MISSING) is not self._value:
            return
        if self._before is _MISSING:
            del self._mapping[self._key]
        else:
            self._mapping[self._key] = self._before
