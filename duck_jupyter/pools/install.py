"""
How the pools of a process get the features, and lose them without a trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.handover import handover
from .capturing import capture_while
from .features import features
from .functions import Functions
from .patches import patches

if TYPE_CHECKING:
    from .features import Feature

__all__ = ["cell_ends", "install", "uninstall"]


def make_features() -> list[Feature]:
    """
    Make the features, in the order in which they see a task.
    """
    return [Functions()]


def install() -> None:
    """
    Let pools have the features; again is fine.
    """
    try:
        for feature in make_features():
            features.add(feature)
        patches.open()
    except BaseException:
        uninstall()
        raise
    capture_while(handover.has_objects)


def uninstall() -> None:
    """
    Leave the pools as they were; again is fine.
    """
    patches.close()
    features.close()


def cell_ends() -> None:
    """
    Tell the features that a cell has ended.
    """
    for feature in features.all:
        feature.cell_ends()
