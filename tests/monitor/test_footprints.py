"""
The memory of many processes is looked at a few at a time, and each in its turn.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.monitor import footprints as module
from duck_jupyter.monitor.footprints import Footprints

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST, MOST = 10**6, 10**10
END_S = 10.0


@pytest.fixture
def pids() -> Iterator[list[int]]:
    """
    This process and two idle ones, which have begun.
    """
    code = "print('here', flush=True); input()"
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
    yield [os.getpid(), *(process.pid for process in processes)]
    for process in processes:
        process.communicate(b"\n", timeout=END_S)


def test_without_a_bound_all_are_looked_at(pids: list[int]) -> None:
    found = Footprints().of(pids)
    assert sorted(found) == sorted(pids)
    assert all(LEAST < size < MOST for size in found.values())


def test_each_look_has_a_bound_and_all_get_their_turn(pids: list[int]) -> None:
    footprints = Footprints()
    counts = [len(footprints.of(pids, 0.0)) for _ in range(4)]
    assert counts == [1, 2, 3, 3]


def test_one_that_was_just_looked_at_is_not_looked_at_again(
    pids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    footprints = Footprints()
    before = footprints.of(pids)
    asked: list[int] = []
    monkeypatch.setattr(module, "_pss_of", asked.append)
    assert footprints.of(pids) == before
    assert asked == []


def test_the_one_looked_at_longest_ago_comes_first(
    pids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    footprints = Footprints()
    for _ in pids:
        footprints.of(pids, 0.0)
    asked: list[int] = []
    monkeypatch.setattr(module, "LASTS_S", 0.0)
    monkeypatch.setattr(module, "_pss_of", asked.append)
    for _ in range(2 * len(pids)):
        footprints.of(pids, 0.0)
    assert asked == 2 * pids


def test_those_that_are_gone_are_forgotten(pids: list[int]) -> None:
    footprints = Footprints()
    # No process of Linux has such a number.
    nobody = 2**22 + 1
    assert sorted(footprints.of([*pids, nobody])) == sorted(pids)
    assert sorted(footprints.of(pids[:1])) == pids[:1]
