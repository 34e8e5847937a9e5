"""
The workers of an engine: those that it lists, and those that have left.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from duck_jupyter import share, statistics
from duck_jupyter.engines.engine import EngineWorker
from duck_jupyter.engines.members import ENDS_KEPT, LEFT, Members
from duck_jupyter.session.observe import snapshot_of
from duck_jupyter.stats.cluster_joining import join_members
from duck_jupyter.stats.exits import End
from duck_jupyter.transport.handshake import FIRST_FAR_PID
from tests.support.fake_engine import ENDED, MEMORY, FakeEngine
from tests.support.processes import wait_until

if TYPE_CHECKING:
    import pytest

    from duck_jupyter.session.session import Session


def worker(name: str, pid: int = 0, *, is_here: bool = False) -> EngineWorker:
    return EngineWorker(name, f"host:{name}", pid, 5, "running", 9, is_here=is_here)


def test_each_has_a_number_that_stays() -> None:
    members = Members()
    first, second = members.take([worker("a"), worker("b")])
    assert FIRST_FAR_PID < first.number != second.number > FIRST_FAR_PID
    again = members.take([worker("b", pid=7)])
    assert [(each.number, each.since) for each in again] == [
        (second.number, second.since)
    ]
    assert again[0].facts.pid == 7


def test_a_process_of_this_host_has_its_own_number() -> None:
    members = Members()
    assert members.take([worker("a")])[0].number > FIRST_FAR_PID
    (found,) = members.take([worker("a", pid=7, is_here=True)])
    assert found.number == 7


def test_workers_in_the_kernel_itself_are_not_one() -> None:
    here = os.getpid()
    found = Members().take([worker(n, here, is_here=True) for n in "ab"])
    assert len({each.number for each in found}) == 2
    assert {each.facts.pid for each in found} == {here}


def test_one_that_left_says_how() -> None:
    members = Members()
    (member,) = members.take([worker("a")])
    members.left("a", End("ended", "retired"))
    left = members.departed["a"]
    assert (left.member, left.end.words) == (member, "retired")
    members.take([])
    assert members.departed["a"] is left


def test_one_that_is_listed_no_more_has_left() -> None:
    members = Members()
    members.take([worker("a")])
    members.take([])
    assert members.departed["a"].end == LEFT


def test_another_process_at_its_address_does_not_hide_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("duck_jupyter.engines.members.STALE_S", 0.0)
    members = Members()
    (member,) = members.take([worker("a", pid=7)])
    members.left("a", End("killed", "over its memory limit"))
    now = members.take([worker("a", pid=8)])
    rows, ended = join_members((), (), now, members.departed)
    assert [row.own_pid for row in rows] == [8]
    assert [(row.own_pid, row.how) for row in ended] == [(7, "killed")]
    assert member.facts.pid == 7


def test_how_one_ended_may_be_heard_after_it_is_missing() -> None:
    members = Members()
    (member,) = members.take([worker("a")])
    members.take([])
    members.left("a", End("ended", "retired"))
    left = members.departed["a"]
    assert (left.member, left.end.words) == (member, "retired")


def test_one_that_is_back_has_not_left(monkeypatch: pytest.MonkeyPatch) -> None:
    members = Members()
    members.left("a")
    # The list may be older than its end.
    assert not members.take([worker("a")])
    assert members.departed
    monkeypatch.setattr("duck_jupyter.engines.members.STALE_S", 0.0)
    assert members.take([worker("a")])
    assert not members.departed


def test_the_last_ends_are_kept() -> None:
    members = Members()
    for number in range(ENDS_KEPT + 5):
        members.left(str(number))
    assert list(members.departed) == [str(n) for n in range(5, ENDS_KEPT + 5)]


def test_the_workers_of_an_engine_are_listed(session: Session) -> None:
    engine = FakeEngine()
    try:
        share([1], "items", on=engine)
        rows = statistics().workers
        assert {row.name for row in rows} == {"here:w0", "here:w1"}
        assert {row.pid for row in rows} == {each.pid for each in engine.processes}
        assert {row.memory for row in rows} == {MEMORY}
        (cluster,) = snapshot_of(session).clusters
        assert (cluster.kind, cluster.dashboard) == ("Fake", engine.link)
        engine.link = "javascript:alert(1)"
        assert snapshot_of(session).clusters[0].dashboard == ""
        engine.processes[1].kill()
        assert wait_until(lambda: bool(statistics().ended_workers))
        (end,) = statistics().ended_workers
        assert (end.name, end.words) == ("here:w1", ENDED.words)
        assert [row.name for row in statistics().workers] == ["here:w0"]
    finally:
        engine.close()
