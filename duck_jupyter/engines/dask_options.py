"""
The keyword arguments of a Dask client's methods that are Dask's own.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from distributed import Client

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LISTS", "MAP_OPTIONS", "SUBMIT_OPTIONS"]

#: The arguments of `Client.map` whose items are replaced.
LISTS = (list, tuple)


def _options_of(method: Callable[..., Any]) -> frozenset[str]:
    """
    Return the names of the keyword arguments that are Dask's own, such as `workers`.
    """
    parameters = inspect.signature(method).parameters.values()
    return frozenset(each.name for each in parameters if each.kind == each.KEYWORD_ONLY)


SUBMIT_OPTIONS = _options_of(Client.submit)
MAP_OPTIONS = _options_of(Client.map)
