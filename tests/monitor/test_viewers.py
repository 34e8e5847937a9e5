"""
Who looks, as far as they have said so lately.
"""

from __future__ import annotations

from typing import Any

import pytest

from duck_jupyter.monitor import viewers
from duck_jupyter.monitor.viewers import LEASE_S, PERIOD_S, SLOWEST_S, Leases, Listeners
from tests.support.snapshots import golden


class Clock:
    """
    The time of a test.
    """

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """
    A clock that a test moves on.
    """
    clock = Clock()
    monkeypatch.setattr(viewers, "time", clock)
    return clock


def test_who_has_said_so_looks_for_a_while(clock: Clock) -> None:
    leases = Leases(lambda: False)
    assert not leases.is_any
    leases.renew("panel")
    clock.now += LEASE_S - 1
    assert leases.is_any
    leases.renew("panel")
    clock.now += LEASE_S - 1
    assert leases.is_any
    clock.now += 2
    assert not leases.is_any


def test_who_has_said_goodbye_looks_no_longer(clock: Clock) -> None:
    leases = Leases(lambda: False)
    leases.renew("one")
    leases.renew("two")
    leases.end("one")
    leases.end("one")
    assert leases.is_any
    leases.end("two")
    assert not leases.is_any


def test_while_a_cell_runs_nobody_needs_to_say_anything(clock: Clock) -> None:
    busy = True
    leases = Leases(lambda: busy)
    leases.renew("panel")
    for _ in range(10):
        clock.now += LEASE_S - 1
        assert leases.is_any
    # From its end on there is time to say so.
    busy = False
    clock.now += LEASE_S - 1
    assert leases.is_any
    clock.now += 2
    assert not leases.is_any
    busy = True
    assert not leases.is_any


def test_a_page_that_is_loaded_anew_has_a_while_to_come_back(clock: Clock) -> None:
    busy = True
    leases = Leases(lambda: busy)
    leases.renew("page")
    leases.end("page", after_s=15.0)
    leases.end("nobody", after_s=15.0)
    clock.now += 14
    assert leases.is_any
    # A cell that runs does not keep who said goodbye.
    clock.now += 2
    assert not leases.is_any


def test_the_pace_is_that_of_who_wants_it_soonest(clock: Clock) -> None:
    leases = Leases(lambda: False)
    assert leases.period_s == PERIOD_S
    leases.renew("slow", 2.0)
    assert leases.period_s == 2.0
    leases.renew("fast", 0.5)
    assert leases.period_s == 0.5
    leases.end("fast")
    assert leases.period_s == 2.0


@pytest.mark.parametrize(
    ("wanted", "given"), [(0.001, PERIOD_S), (-1.0, PERIOD_S), (1e12, SLOWEST_S)]
)
def test_a_pace_has_bounds(clock: Clock, wanted: float, given: float) -> None:
    leases = Leases(lambda: False)
    leases.renew("panel", wanted)
    assert leases.period_s == given


def test_what_is_shown_is_sent_as_plain_values(clock: Clock) -> None:
    sent: list[dict[str, Any]] = []
    listeners = Listeners(sent.append, Leases(lambda: False))
    assert not listeners.is_looking
    listeners.leases.renew("panel")
    assert listeners.is_looking
    listeners.show(golden(), golden())
    (message,) = sent
    assert message["kind"] == "snapshot"
    assert message["snapshot"]["objects"][0]["path"] == "df"
