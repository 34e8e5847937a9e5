"""
Waiting in a line that submits, until workers have fetched earlier states of data.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from ..data.holds import let_go
from ..errors import VersionsAwaited
from .features import features

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["wait_for_workers"]

#: Seconds between two looks whether workers have fetched what waits for them.
LOOK_EVERY_S = 0.01
#: Seconds after which a line that waits says so.
SAY_AFTER_S = 2.0

_T = TypeVar("_T")


def wait_for_workers(make: Callable[[], _T]) -> _T:
    """
    Do what publishes data; again, while too many states wait for workers.

    Raises:
        VersionsAwaited: There are too many, and no worker runs that could fetch them.
        Exception: What `make` raises.
    """
    try:
        return make()
    except VersionsAwaited as error:
        said = str(error)
    begun, is_said, never = time.monotonic(), False, threading.Event()
    while True:
        never.wait(LOOK_EVERY_S)
        for feature in features.all:
            feature.submit_waits()
        let_go()
        try:
            # What it held already is let go of, and so all begins anew.
            return make()
        except VersionsAwaited:
            if not multiprocessing.active_children():
                raise
        if not is_said and time.monotonic() - begun > SAY_AFTER_S:
            is_said = True
            sys.stderr.write(f"Submitting waits for the workers: {said}\n")
