"""
The delays of callers by a busy kernel.
"""

from __future__ import annotations

from collections import deque

__all__ = ["Delays"]

#: Delays of this many last seconds are kept.
WINDOW_S = 2.0
#: Shorter delays are normal: a thread has to wake up for each call.
LEAST_S = 1e-3
#: Of the delays within this many seconds only the longest is kept.
STEP_S = 0.1
STEPS_KEPT = int(WINDOW_S / STEP_S) + 1


class Delays:
    """
    The longest delays of the last seconds. Any thread may note one.
    """

    def __init__(self) -> None:
        #: For each step: the monotonic seconds of the last delay, and the longest one.
        self._kept: deque[tuple[float, float]] = deque(maxlen=STEPS_KEPT)
        self._step = 0

    def note(self, now: float, delay: float) -> None:
        """
        Note that the server was late to see a request.

        Args:
            now: When the server saw it, in monotonic seconds.
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
        Return the longest delay of the last two seconds, or None.

        Args:
            now: Monotonic seconds.
        """
        recent = [delay for when, delay in tuple(self._kept) if when > now - WINDOW_S]
        return max(recent, default=None)
