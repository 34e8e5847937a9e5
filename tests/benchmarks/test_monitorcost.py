"""
What the benchmark of the monitor's cost makes of calls whose moments are known.
"""

from __future__ import annotations

from array import array

import pytest

from .monitorcost import APART_S, CONTROL_S, PERIOD_S, TENTH_S, around, lost

PICTURES = [1.0 + APART_S * i for i in range(40)]


def moments(paused: bool) -> array[float]:
    """
    Give when batches of 1 ms were over, none of them in the 10 ms after a picture.
    """
    every = [i / 1000 for i in range(int(1000 * (PICTURES[-1] + 2)))]
    if paused:
        every = [at for at in every if not any(p < at < p + 0.01 for p in PICTURES)]
    return array("d", every)


@pytest.mark.parametrize("paused", [False, True])
def test_what_is_lost_are_calls_of_a_quarter_of_a_second(paused: bool) -> None:
    notes = [moments(paused), moments(paused)]
    found = lost([around(notes, picture, 0.0) for picture in PICTURES])
    wanted = 100 * 0.01 / PERIOD_S if paused else 0.0
    assert found.share == pytest.approx(wanted, abs=0.5)
    assert found.error < 0.1


def test_the_control_leaves_the_pictures_out() -> None:
    notes = [moments(paused=True)]
    found = lost([around(notes, picture, CONTROL_S) for picture in PICTURES])
    assert found.share == pytest.approx(0.0, abs=0.5)


def test_the_error_is_that_of_what_varies() -> None:
    pairs = [(90.0, 100.0), (110.0, 100.0)] * 50
    found = lost(pairs)
    assert found.share == pytest.approx(0.0)
    # A deviation of 10 % in a hundred pairs, as part of the period.
    assert found.error == pytest.approx(10 / 100**0.5 * TENTH_S / PERIOD_S)
