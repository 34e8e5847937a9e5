"""
By how much a busy kernel has delayed its callers lately.
"""

from __future__ import annotations

from collections import deque

__all__ = ["Delays"]

#: Delays of the last so many seconds are told.
WINDOW_S = 2.0
#: Shorter ones are those of any call: a thread has to wake up for it.
LEAST_S = 1e-3
#: Delays within so many seconds are kept as one, the longest.
STEP_S = 0.1
STEPS_KEPT = int(WINDOW_S / STEP_S) + 1


class Delays:
    """
    The longest delays of the last seconds. Any thread may note one.
    """

    def __init__(self) -> None:
        #: (monotonic seconds of the last one, longest) of each step.
        self._kept: deque[tuple[float, float]] = deque(maxlen=STEPS_KEPT)
        self._step = 0

    def note(self, now: float, delay: float) -> None:
        """
        Note that a request was seen late.

        Args:
            now: When it was seen, in monotonic seconds.
            delay: Seconds since its client has blocked.
        """
        if delay < LEAST_S:
            return
        step = int(now / STEP_S)
        longest = delay
        if step == self._step and self._kept:
            longest = max(delay, self._kept.pop()[1])
        self._step = step
        self._kept.append((now, longest))

    def longest(self, now: float) -> float | None:
        """
        Give the longest delay of the two seconds before, or None where there was none.

        Args:
            now: Monotonic seconds.
        """
        recent = [delay for when, delay in tuple(self._kept) if when > now - WINDOW_S]
        return max(recent, default=None)
