"""
From what users write after ``on=`` to an engine.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import NotShareable

if TYPE_CHECKING:
    from .engine import Engine

__all__ = ["WORDS", "find_engine"]

METHODS = ("attach", "ways", "reference", "workers", "tell", "detach")
#: What users may write for an engine that they do not name by an object.
WORDS = ("dask", "ray")
ACCEPTED = "'dask', 'ray', a client of Dask or the module ray"
NO_RAY = (
    "Sharing with a cluster of Ray needs its package ray, 2.60 or newer. "
    "Install it with: pip install 'duck-jupyter[ray]'"
)
NO_DASK = (
    "Sharing with a cluster of Dask needs its package distributed, 2024.12 or newer. "
    "Install it with: pip install 'duck-jupyter[dask]'"
)


def find_engine(on: Any) -> Engine:
    """
    Return an engine.

    Args:
        on: "dask" for the current client, a client of Dask, "ray" or the module ray for
            the cluster that this process is connected to, or an engine.

    Raises:
        NotShareable: There is no such engine.
    """
    if isinstance(on, ModuleType) and on.__name__ == "ray":
        on = "ray"
    if isinstance(on, str):
        if on not in WORDS:
            raise NotShareable(f"on must be {ACCEPTED}, not {on!r}.")
        return _of_ray() if on == "ray" else _of_client(_current_client())
    if all(callable(getattr(type(on), name, None)) for name in METHODS):
        engine: Engine = on
        return engine
    distributed = sys.modules.get("distributed")
    if distributed is None or not isinstance(on, distributed.Client):
        is_cluster = hasattr(type(on), "scheduler_address")
        raise NotShareable(
            f"on must be {ACCEPTED}, not an object of type {type(on).__name__}."
            + (" Make a client of it: client = Client(CLUSTER)" if is_cluster else "")
        )
    return _of_client(on)


def _of_ray() -> Engine:
    try:
        from .ray import ENGINE
    except ImportError as error:  # an older version lacks a method
        raise NotShareable(NO_RAY) from error
    return ENGINE


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
