"""
From what users write after ``on=`` to an engine.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..errors import NotShareable

if TYPE_CHECKING:
    from .engine import Engine

__all__ = ["find_engine"]

METHODS = ("attach", "ways", "reference", "workers", "dashboard", "tell", "detach")
NO_DASK = (
    "Sharing with a cluster of Dask needs its package distributed, 2024.12 or newer. "
    "Install it with: pip install 'duck-jupyter[dask]'"
)


def find_engine(on: Any) -> Engine:
    """
    Return an engine.

    Args:
        on: "dask" for the current client, a client of Dask, or an engine.

    Raises:
        NotShareable: There is no such engine.
    """
    if isinstance(on, str):
        if on != "dask":
            raise NotShareable(f"on must be 'dask' or a client of Dask, not {on!r}.")
        return _of_client(_current_client())
    if all(callable(getattr(type(on), name, None)) for name in METHODS):
        engine: Engine = on
        return engine
    distributed = sys.modules.get("distributed")
    if distributed is None or not isinstance(on, distributed.Client):
        raise NotShareable(
            "on must be 'dask' or a client of Dask, not an object of type "
            f"{type(on).__name__}."
        )
    return _of_client(on)


def _of_client(client: Any) -> Engine:
    try:
        from .dask import engine_of
    except ImportError as error:  # an older version lacks a module
        raise NotShareable(NO_DASK) from error
    return engine_of(client)


def _current_client() -> Any:
    try:
        from distributed import default_client
    except ImportError as error:
        raise NotShareable(NO_DASK) from error
    try:
        return default_client()
    except ValueError as error:
        raise NotShareable(
            "There is no client of Dask in this process. Make one first: "
            "from distributed import Client; client = Client()"
        ) from error
