"""
The lane's protocol: all states of its model are right, and the code does what it does.
"""

from __future__ import annotations

import gc
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.client import channel, link
from duck_jupyter.server import poller, spin

from .lane_paced import PacedTime
from .lane_replay import Player
from .lane_search import Search
from .lane_state import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Runs, and how many states each can be in.
RUNS = [
    (Rules(("plain",) * 3, threads=1, queues=True, timeouts=()), 16917),
    (Rules(("plain",), queues=True, timeouts=()), 10521),
    (Rules(("plain", "large"), threads=1, gives_up=True), 2210),
    (Rules(("item", "plain"), threads=1, gives_up=True), 33270),
    (Rules(("item",), dies="client"), 56119),
    (Rules(("item", "plain"), threads=1, dies="server"), 16520),
    (Rules(("lock",), threads=1, dies="client"), 13868),
    (Rules(("lock", "plain"), threads=1), 25564),
    (Rules(("plain",), nested="item", threads=1), 7418),
]
#: Without one of these a client may wait for ever.
NEEDS = [
    "bell of a request",
    "bell of an answer",
    "look before it blocks",
    "second look at WATCHED",
    "look after the last one",
    "fence of the client",
    "fence of the server",
]
#: Without one of these a grant to a client that dies is lost, or comes back twice.
GRANT_NEEDS = [
    ("item", "acknowledgement", "a grant is taken back that was acknowledged"),
    ("item", "answer to who went", "a grant is lost"),
    ("lock", "second look at claims", "a grant is lost"),
]
PLAYED = [
    Rules(("plain",) * 3, threads=3),
    Rules(("item", "large", "plain"), gives_up=True),
    Rules(("item", "plain"), dies="client"),
    Rules(("plain", "item"), dies="server"),
    Rules(("lock", "plain"), gives_up=True),
    Rules(("lock", "plain")),
    Rules(("waits", "plain"), nested="item"),
]
WALKS = 30
SEED = 2024


def problem(rules: Rules) -> str:
    return Search(rules).visit().problem


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """
    Leave the states alone, which are many and have no cycles.
    """
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Look once where the code looks many times, and let the trace say what time it is.
    """
    for name in ("MOST_LOOKS", "LEAST_LOOKS", "LOOKS_AMONG_MANY", "LOOKS_A_TURN"):
        monkeypatch.setattr(channel, name, 1)
    monkeypatch.setattr(link, "LOOKS_FOR_A_LOCK", 1)
    monkeypatch.setattr(poller, "LOOKS_PER_READING", 1)
    for module in (poller, spin):
        monkeypatch.setattr(module, "time", PacedTime)


@contextmanager
def player(search: Search) -> Iterator[Player]:
    playing = Player(search)
    try:
        yield playing
    finally:
        playing.end()


@pytest.mark.slow
@pytest.mark.parametrize(("rules", "states"), RUNS)
def test_all_states_of_a_run_are_right(rules: Rules, states: int) -> None:
    """
    The code then plays, for each kind of step, the shortest trace that ends with one.
    """
    search = Search(rules)
    found = search.visit()
    assert found.problem == ""
    assert len(found.states) == states
    last: dict[tuple[str, str, str], int] = {}
    for number, came in enumerate(found.came):
        if came is not None:
            step = came[1]
            last.setdefault((step.what, step.op.kind, step.op.name), number)
    traces = [found.trace(number) for number in last.values()]
    del found
    for trace in traces:
        with player(search) as playing:
            playing.play(trace)


@pytest.mark.parametrize("missing", NEEDS)
def test_the_search_finds_that_a_wait_has_no_end(missing: str) -> None:
    rules = Rules(("plain",) * 2, 1, queues=True, timeouts=(), without=missing)
    assert problem(rules) == "a wait has no end"


@pytest.mark.parametrize(("kind", "missing", "expected"), GRANT_NEEDS)
def test_the_search_finds_what_becomes_of_a_grant(
    kind: str, missing: str, expected: str
) -> None:
    assert problem(Rules((kind,), dies="client", without=missing)) == expected


def test_a_lane_that_is_used_again_serves_a_request_twice() -> None:
    rules = Rules(("plain",) * 2, 1, gives_up=True, without="close")
    assert problem(rules) == "a request is served twice"


def test_a_lane_that_nobody_looks_at_any_more_needs_trust_to_end() -> None:
    """
    `Loop.expect` looks whether a thread polls before it lets the lane be polled.
    """
    rules = Rules(("lock", "plain"), 1, timeouts=("LEFT_S", "RECHECK_S"))
    assert problem(rules) == "a wait has no end"


def test_a_bell_that_was_left_to_a_stuck_thread_needs_a_look_later() -> None:
    rules = Rules(("waits",), nested="plain", timeouts=("TRUST_S",))
    assert problem(rules) == "a wait has no end"


@pytest.mark.parametrize("rules", PLAYED)
def test_the_code_does_what_the_model_does(rules: Rules) -> None:
    chance = random.Random(SEED)
    search = Search(rules)
    for _ in range(WALKS):
        with player(search) as playing:
            playing.play(search.walk(chance))


def test_a_model_that_is_not_the_codes_is_found_out() -> None:
    search = Search(Rules(("plain",), 1, without="look after the last one"))
    with player(search) as playing, pytest.raises(AssertionError, match="is no"):
        playing.play(search.walk(random.Random(SEED)))
