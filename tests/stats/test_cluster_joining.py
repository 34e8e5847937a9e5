"""
Joining what clusters say of their workers with what a server has counted.
"""

from __future__ import annotations

from msgspec.structs import replace

from duck_jupyter.stats.cluster_joining import Departed, Member, join_members
from duck_jupyter.stats.exits import DISCONNECTED, End, end_of
from duck_jupyter.stats.row_building import holder_row
from duck_jupyter.stats.worker_rows import ClusterWorker, EndedRow

ADDRESS, NAME = "tcp://10.0.0.2:37001", "10.0.0.2:gpu-1"
FACTS = ClusterWorker(
    "10.0.0.2", "gpu-1", 71, ADDRESS, 2, 5, 600, 1000, state="running"
)
MEMBER = Member(9_000_000, 50.0, NAME, False, FACTS)
SAID = ClusterWorker("10.0.0.2", "gpu-1", 71, ADDRESS)
CALLER = replace(holder_row(5_000_000, 60.0, 0), calls=4, cluster=SAID)
LEFT = Departed(MEMBER, 90.0, End("gone", "connection lost"))


def ended(exit_code: int | None = None) -> EndedRow:
    end = DISCONNECTED if exit_code is None else end_of(exit_code)
    return EndedRow(5_000_000, NAME, 60.0, 89.0, exit_code, *end, 4, cluster=SAID)


def test_a_worker_that_has_not_called_has_a_row() -> None:
    (row,), _ = join_members([], [], [MEMBER], {})
    assert (row.pid, row.name, row.since) == (9_000_000, NAME, 50.0)
    assert (row.cluster, row.way, row.memory) == (FACTS, None, 600)
    assert not row.is_served


def test_one_that_has_called_keeps_its_number_and_its_calls() -> None:
    (row,), _ = join_members([CALLER], [], [MEMBER], {})
    assert (row.pid, row.calls, row.since) == (5_000_000, 4, 50.0)
    assert row.cluster == FACTS


def test_its_own_number_is_known_from_its_calls() -> None:
    member = MEMBER._replace(facts=replace(FACTS, pid=None))
    (row,), _ = join_members([CALLER], [], [member], {})
    assert row.cluster == FACTS


def test_one_that_maps_a_version_here_is_one_row() -> None:
    member = MEMBER._replace(is_here=True)
    (row,), _ = join_members([holder_row(71, 55.0, 2)], [], [member], {})
    assert (row.pid, row.name, row.holds) == (71, NAME, 2)


def test_the_same_number_on_another_host_is_another_process() -> None:
    rows, _ = join_members([holder_row(71, 55.0, 2)], [], [MEMBER], {})
    assert [row.pid for row in rows] == [9_000_000, 71]


def test_the_cluster_says_how_one_ended() -> None:
    rows, ends = join_members([], [ended()], [], {ADDRESS: LEFT})
    assert not rows
    assert [(row.how, row.words, row.calls) for row in ends] == [
        ("gone", "connection lost", 4)
    ]


def test_a_reason_of_the_cluster_says_more_than_an_exit_code() -> None:
    left = LEFT._replace(end=End("killed", "killed by its nanny"))
    _, (row,) = join_members([], [ended(-15)], [], {ADDRESS: left})
    assert (row.how, row.words) == ("killed", "killed by its nanny")


def test_an_exit_code_says_more_than_a_lost_connection() -> None:
    _, (row,) = join_members([], [ended(-9)], [], {ADDRESS: LEFT})
    assert (row.how, row.words) == ("killed", "killed by SIGKILL")


def test_one_that_never_called_ends_as_well() -> None:
    _, (row,) = join_members([], [], [], {ADDRESS: LEFT})
    assert (row.pid, row.name, row.ended) == (9_000_000, NAME, 90.0)
    assert (row.words, row.cluster) == ("connection lost", FACTS)


def test_one_that_nobody_had_looked_at_has_no_end() -> None:
    left = LEFT._replace(member=None)
    assert join_members([], [], [], {ADDRESS: left}) == ((), ())


def test_one_that_only_closed_its_connections_has_not_ended() -> None:
    (row,), ends = join_members([], [ended()], [MEMBER], {})
    assert row.name == NAME
    assert not ends


def test_one_whose_connection_is_still_open_has_not_ended() -> None:
    (row,), ends = join_members([CALLER], [], [], {ADDRESS: LEFT})
    assert row == CALLER
    assert not ends
