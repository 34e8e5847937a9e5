"""
Mappings that insert a missing key when it is read, such as a defaultdict.
"""

from __future__ import annotations

from collections import ChainMap, Counter, UserDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Present", "inserts_what_is_missing"]

#: These are known to insert nothing.
_KNOWN = (None, Counter.__missing__, ChainMap.__missing__)
_MISSING = object()


def inserts_what_is_missing(target: Any) -> bool:
    """
    Return whether reading a mapping may insert a key, if nothing prevents it.

    A dict of such a type is read through `Present`, which prevents it.
    """
    if isinstance(target, ChainMap):
        parts = list(target.maps)
    elif isinstance(target, UserDict):
        parts = [target.data]
    else:
        return False
    return _has_hook(target) or any(
        _has_hook(part) or inserts_what_is_missing(part) for part in parts
    )


class Present:
    """
    The present items of a dict.

    Args:
        target: The dict.
        refusal: Makes the error for a missing key.
    """

    def __init__(
        self, target: dict[Any, Any], refusal: Callable[[], Exception]
    ) -> None:
        self._target = target
        self._refusal = refusal

    def __getitem__(self, key: Any) -> Any:
        value = dict.get(self._target, key, _MISSING)
        if value is _MISSING:
            raise self._refusal()
        return value

    @classmethod
    def is_needed(cls, target: Any) -> bool:
        """
        Return whether reading a missing key may change a dict.
        """
        return isinstance(target, dict) and _has_hook(target)


def _has_hook(target: Any) -> bool:
    return getattr(type(target), "__missing__", None) not in _KNOWN
