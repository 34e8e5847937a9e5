"""
Adds the features to the pools of a process, and removes them without a trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.handover import handover
from .capturing import capture_while
from .deaths import Deaths
from .features import features
from .functions import Functions
from .interrupting import Interrupts
from .output import Output
from .patches import patches
from .progress import Progress
from .seen import Seen
from .slots import Slots
from .tracebacks import Tracebacks
from .unsent import Unsent

if TYPE_CHECKING:
    from .features import Feature

__all__ = ["install", "is_installed", "uninstall"]


def make_features() -> list[Feature]:
    """
    Make the features, in the order in which they get a task.
    """
    slots = Slots()
    seen = Seen(slots)
    return [
        slots,
        seen,
        # When a cell ends the last one is the first: then all tasks have ended.
        Progress(seen),
        Functions(),
        Interrupts(slots),
        Deaths(slots),
        Tracebacks(),
        Unsent(),
        Output(slots),
    ]


def install() -> None:
    """
    Add the features to pools. Repeated calls do nothing.
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
    Restore the pools. Repeated calls do nothing.
    """
    patches.close()
    features.close()


def is_installed() -> bool:
    """
    Return whether pools have the features.
    """
    return any(isinstance(feature, Slots) for feature in features.all)
