"""
A ledger follows counts that others add to, and its sum is always theirs.
"""

from __future__ import annotations

import random

from duck_jupyter.stats.counts import (
    BYTES_IN,
    LAST_BYTES,
    PEAK_BYTES,
    fresh_counts,
    sum_of,
)
from duck_jupyter.stats.ledger import Changes, Ledger


def counts_of(**sizes: int) -> list[int]:
    """
    Give counts of one call.
    """
    counts = fresh_counts()
    counts[0] = 1
    counts[BYTES_IN] = counts[LAST_BYTES] = sizes["last"]
    counts[PEAK_BYTES] = sizes["peak"]
    return counts


def test_what_came_is_a_change_and_what_stayed_is_none() -> None:
    ledger = Ledger()
    current = {1: counts_of(last=5, peak=9), 2: fresh_counts()}
    assert ledger.follow(current) == Changes({1, 2}, others=True)
    assert ledger.follow(current) == Changes(set(), others=False)

    current[2][BYTES_IN] += 1
    assert ledger.follow(current) == Changes({2}, others=False)


def test_what_is_remembered_are_copies() -> None:
    ledger = Ledger()
    counts = counts_of(last=5, peak=9)
    ledger.follow({1: counts})
    counts[BYTES_IN] += 1
    assert ledger.counts[1][BYTES_IN] == 5
    assert ledger.sum[BYTES_IN] == 5


def test_what_went_is_a_change_and_counts_no_more() -> None:
    ledger = Ledger()
    ledger.follow({1: counts_of(last=5, peak=9), 2: counts_of(last=1, peak=2)})
    assert ledger.follow({2: counts_of(last=1, peak=2)}) == Changes({1}, others=True)
    assert ledger.sum == counts_of(last=1, peak=2)
    assert ledger.follow({}) == Changes({2}, others=True)
    assert ledger.sum == fresh_counts()


def test_one_that_came_for_one_that_went_is_told() -> None:
    ledger = Ledger()
    ledger.follow({1: counts_of(last=5, peak=9)})
    changes = ledger.follow({2: counts_of(last=5, peak=9)})
    assert changes == Changes({1, 2}, others=True)


def test_the_sum_is_that_of_all_whatever_came_and_went() -> None:
    source = random.Random(4)
    ledger = Ledger()
    current: dict[int, list[int]] = {}
    for _ in range(300):
        for number in source.sample(range(20), 3):
            if source.random() < 0.3:
                current.pop(number, None)
            else:
                counts = current.setdefault(number, fresh_counts())
                place = source.randrange(len(counts))
                counts[place] = source.randrange(1000)
        ledger.follow(current)
        assert ledger.counts == current
        assert sum_of([ledger.sum]) == sum_of(current.values())
