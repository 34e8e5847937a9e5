"""
Frozen names: published once, never compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter import NotShareable, share, shared, unshare
from duck_jupyter.client.fetching import fetch

from .variables import HANDLE_BYTES, handed, pickled

if TYPE_CHECKING:
    from duck_jupyter.session.session import Session
    from tests.support.workers import Worker

    from .variables import Variables

SIZE = 50_000


@pytest.fixture
def frozen(variables: Variables) -> Variables:
    variables["arr"] = np.zeros(SIZE)
    variables.share("arr", frozen=True)
    return variables


def test_a_change_is_not_seen_as_was_promised(
    frozen: Variables, worker: Worker
) -> None:
    assert worker.eval("fetch(p).sum()", p=shared.arr) == 0
    frozen["arr"] += 1
    assert worker.eval("fetch(p).sum()", p=shared.arr) == 0
    assert handed(frozen["arr"]).sum() == 0
    # The live plane knows no versions.
    assert worker.eval("p.sum()", p=shared.arr) == SIZE


def test_what_is_not_frozen_is_compared(variables: Variables) -> None:
    variables["arr"] = np.zeros(SIZE)
    variables.share("arr")
    for step in range(3):
        variables["arr"][step] = 1
        assert handed(variables["arr"]).sum() == step + 1


def test_a_rebound_name_is_published_anew(frozen: Variables, worker: Worker) -> None:
    old = handed(frozen["arr"])
    for step in range(1, 4):
        frozen["arr"] = np.full(SIZE, float(step))
        # In the same cell: nothing has followed the variable yet.
        assert handed(frozen["arr"])[5] == step
        assert worker.eval("fetch(p)[5]", p=shared.arr) == step
        assert pickled(frozen["arr"]) < HANDLE_BYTES
    assert old.sum() == 0


def test_a_variable_that_changes_its_size_is_published_anew(frozen: Variables) -> None:
    handed(frozen["arr"])
    frozen["arr"] = np.concatenate([frozen["arr"], [7.0]])
    assert handed(frozen["arr"]).shape == (SIZE + 1,)


def test_sharing_again_without_frozen_compares_again(frozen: Variables) -> None:
    handed(frozen["arr"])
    frozen["arr"][0] = 3
    frozen.share("arr")
    assert handed(frozen["arr"])[0] == 3
    frozen.share("arr", frozen=True)
    assert handed(frozen["arr"])[0] == 3
    frozen["arr"][0] = 4
    assert handed(frozen["arr"])[0] == 3


def test_running_the_cell_again_keeps_the_promise(frozen: Variables) -> None:
    handed(frozen["arr"])
    frozen["arr"][0] = 3
    frozen.share("arr", frozen=True)
    assert handed(frozen["arr"])[0] == 0


def test_unsharing_and_sharing_publishes_the_object_as_it_is(
    frozen: Variables, session: Session
) -> None:
    handed(frozen["arr"])
    frozen["arr"][0] = 3
    session.unshare(["arr"])
    frozen.share("arr", frozen=True)
    assert handed(frozen["arr"])[0] == 3


def test_frozen_in_place_is_refused(variables: Variables) -> None:
    variables["arr"] = arr = np.zeros(SIZE)
    with pytest.raises(NotShareable, match="not both"):
        variables.share("arr", frozen=True, inplace=True)
    assert variables["arr"] is arr
    assert not shared


def test_functions_freeze_as_well(session: Session) -> None:
    arr: Any = np.zeros(SIZE)
    share(arr, name="arr", frozen=True)
    assert fetch(shared.arr)[0] == 0
    arr[0] = 1
    assert fetch(shared.arr)[0] == 0
    share(arr.copy(), name="arr", frozen=True)
    assert fetch(shared.arr)[0] == 1
    unshare("arr")


def test_the_statistics_say_what_is_frozen(frozen: Variables, session: Session) -> None:
    frozen["other"] = np.zeros(SIZE)
    frozen.share("other", readonly=True)
    frozen["live"] = np.zeros(SIZE)
    frozen.share("live")
    frozen["moved"] = np.zeros(SIZE)
    frozen.share("moved", inplace=True)
    handed(frozen["arr"])
    assert session.server is not None
    found = session.server.statistics()
    assert [(p.path, p.mode) for p in found.proxies] == [
        ("arr", "frozen"),
        ("other", "read-only"),
        ("live", "live"),
        ("moved", "inplace"),
    ]
    assert [p.versions for p in found.proxies] == [1, 0, 0, 1]
    assert found.proxies[0].version_bytes >= SIZE * 8
    assert found.memory.ours >= sum(p.version_bytes for p in found.proxies)
