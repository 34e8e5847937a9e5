"""
From the clock that all processes share to seconds since the epoch.
"""

from __future__ import annotations

import time

__all__ = ["epoch_offset"]

#: Seconds by which the two may drift apart, after a suspend or when the clock is set.
MOST_DRIFT_S = 0.05

_offset = time.time() - time.monotonic()


def epoch_offset() -> float:
    """
    Give the seconds since the epoch at 0 of ``time.monotonic``.

    It is the same each time, so that the same moment is the same number.
    """
    global _offset
    found = time.time() - time.monotonic()
    if abs(found - _offset) > MOST_DRIFT_S:
        _offset = found
    return _offset
