"""
A tally gives what was counted once, however late that was.
"""

from __future__ import annotations

from duck_jupyter.stats.counts import BYTES_IN, LAST_BYTES, PEAK_BYTES
from duck_jupyter.stats.thread_counts import Tally


def test_what_is_counted_after_all_was_taken_is_taken_as_well() -> None:
    tally = Tally(known=())
    counts = tally.begin(1)
    counts[BYTES_IN], counts[LAST_BYTES], counts[PEAK_BYTES] = 50, 20, 30
    assert tally.take() == {1: counts}
    assert tally.take() == {}

    counts[BYTES_IN] += 7
    counts[LAST_BYTES] = 7
    (late,) = tally.take().values()
    assert (late[BYTES_IN], late[LAST_BYTES], late[PEAK_BYTES]) == (7, 7, 30)
    assert tally.take() == {}
