"""
pandas arrays and types without their caches.

pandas stores values that it has computed once, such as the unit of dates, in a dict
beside the data, and pickles the dict as well. A frame that was only read would seem to
have changed.
"""

from __future__ import annotations

from typing import Any

__all__ = ["reduce_without_cache"]

#: The attribute of pandas' ``cache_readonly``; pandas creates it again if it is
#: missing.
CACHE = "_cache"


def reduce_without_cache(value: Any) -> Any:
    """
    Return the reduced form of an extension array or an extension type of pandas.
    """
    reduced = value.__reduce_ex__(5)
    if not isinstance(reduced, tuple) or len(reduced) < 3:
        return reduced
    function, arguments, state, *rest = reduced
    if isinstance(state, dict) and CACHE in state:
        state = _drop_cache(state) or None
    elif (
        isinstance(state, tuple) and isinstance(state[-1], dict) and CACHE in state[-1]
    ):
        attributes = _drop_cache(state[-1])
        unused = state[:-1] if not attributes else None
        if unused is None or not _accepts(function(*arguments), unused):
            unused = (*state[:-1], attributes)
        state = unused
    return (function, arguments, state, *rest)


def _drop_cache(state: dict[Any, Any]) -> dict[Any, Any]:
    return {name: item for name, item in state.items() if name != CACHE}


def _accepts(empty: Any, state: tuple[Any, ...]) -> bool:
    """
    Return whether a state can be set without the dict; pandas 2 needs it, even empty.
    """
    try:
        empty.__setstate__(state)
    except Exception:  # the type of the error differs between versions of pandas
        return False
    return True
