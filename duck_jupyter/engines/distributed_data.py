"""
Objects whose data are on a cluster already: collections and futures of Dask or Ray.
"""

from __future__ import annotations

import sys
from typing import Any

from ..errors import NotShareable

__all__ = ["is_distributed", "refuse_distributed"]


def is_distributed(value: Any) -> bool:
    """
    Return whether a value is a collection of Dask, or a future of Dask or Ray.
    """
    ray = sys.modules.get("ray")
    if ray is not None and issubclass(type(value), getattr(ray, "ObjectRef", ())):
        return True
    base = sys.modules.get("dask.base")
    if base is None:  # then there are no such objects
        return False
    client = sys.modules.get("distributed.client")
    if client is not None and issubclass(type(value), client.Future):
        return True
    # The check of Dask may read any attribute, which code of the user may answer.
    if not hasattr(type(value), "__dask_graph__"):
        return False
    return bool(base.is_dask_collection(value))


def refuse_distributed(value: Any, name: str, option: str) -> None:
    """
    Refuse an option for an object whose data are on a cluster already.

    Args:
        value: The object.
        name: Its name in messages.
        option: The option, such as "--frozen", or "" if there is none.

    Raises:
        NotShareable: The object is distributed, and there is an option.
    """
    if option and is_distributed(value):
        raise NotShareable(
            f"{option} must be used with an object of the notebook, and {name} is a "
            f"{type(value).__name__}, whose data are on the cluster already. "
            f"Pass {name} to tasks as it is, or share it without {option} for live "
            "calls."
        )
