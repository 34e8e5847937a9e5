"""
Pandas arrays and types without what they remember of their use.

Pandas keeps what it worked out once, such as the unit of dates, in a dict beside the
data, and pickles it along. A frame that was only looked at would seem to have changed.
"""

from __future__ import annotations

from typing import Any

__all__ = ["reduce_without_cache"]

#: Where ``cache_readonly`` of pandas puts it; it makes that anew where it is missing.
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
    Say whether an array can be made of a state: pandas 2 wants the dict, though empty.
    """
    try:
        empty.__setstate__(state)
    except Exception:  # of what kind differs between the versions of pandas
        return False
    return True
