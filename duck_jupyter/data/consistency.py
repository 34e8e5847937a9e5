"""
Dumping an object that another thread may be changing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ObjectChanged
from .pickling import dump

if TYPE_CHECKING:
    from .pickling import Dumped

__all__ = ["MOST_TRIES", "is_steady", "still_changing", "take_apart"]

#: How often publishing is tried if an object changes meanwhile.
MOST_TRIES = 3


def take_apart(
    target: Any, name: str, *, out_of_band: bool = True, tries: int = MOST_TRIES
) -> Dumped:
    """
    Dump an object; try again if a container changes during the pickling.

    Args:
        target: The object.
        name: The name of the object in messages.
        out_of_band: As for `dump`.
        tries: The number of tries.

    Raises:
        DataEncodeError: Something in it cannot be pickled.
        ObjectChanged: It kept changing.
    """
    try:
        return dump(target, name, out_of_band=out_of_band)
    except RuntimeError as error:
        if "during iteration" not in str(error):
            raise
        if tries == 1:
            raise still_changing(name) from error
    return take_apart(target, name, out_of_band=out_of_band, tries=tries - 1)


def is_steady(target: Any, name: str, dumped: Dumped) -> bool:
    """
    Return whether the pickle of an object is the same if no thread changes it.

    It is very unlikely that other threads run between all of several pickles in a row.

    Args:
        target: The object.
        name: The name of the object in messages.
        dumped: The object as it was just before.
    """
    for _ in range(MOST_TRIES):
        before, dumped = dumped, take_apart(target, name)
        if before.is_shaped_as(dumped):
            return True
    return False


def still_changing(name: str) -> ObjectChanged:
    """
    Return the error that another thread keeps changing an object.
    """
    return ObjectChanged(
        f"{name!r} changed while it was published, {MOST_TRIES} times in a row: "
        "another thread is writing to it. Wait for that thread, or hold the object's "
        f"lock while you pass it: with locked(shared.{name})."
    )
