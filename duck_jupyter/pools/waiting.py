"""
Waiting when a task is submitted, until workers have fetched earlier states of data.
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

#: Seconds between two checks whether workers have fetched earlier states.
LOOK_EVERY_S = 0.01
#: Seconds of waiting after which a message says so.
SAY_AFTER_S = 2.0

_T = TypeVar("_T")


def wait_for_workers(make: Callable[[], _T]) -> _T:
    """
    Call a function that publishes data; repeat it while too many states are kept.

    Raises:
        VersionsAwaited: Too many states are kept, and no worker can fetch them.
        Exception: The error of `make`.
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
            # It releases what it held, so the call starts again.
            return make()
        except VersionsAwaited:
            if not multiprocessing.active_children():
                raise
        if not is_said and time.monotonic() - begun > SAY_AFTER_S:
            is_said = True
            sys.stderr.write(f"Submitting waits for the workers: {said}\n")
