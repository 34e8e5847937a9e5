"""
What a session tells about itself, and that it asks no object for it.
"""

from __future__ import annotations

import array
import collections
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter import share, shared
from duck_jupyter.client.references import ref
from duck_jupyter.objects.sizes import size_of
from duck_jupyter.session.overview import MOST_CHAINED, overview_of
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from duck_jupyter.session.session import Session
    from tests.support.workers import Worker


class Hostile:
    """
    Raises whatever it is asked.
    """

    def _refuse(self, *_: Any) -> Any:
        raise RuntimeError("asked")

    __len__ = __repr__ = __eq__ = __bool__ = __getattr__ = __iter__ = _refuse
    __hash__ = __str__ = __sizeof__ = __dir__ = __reduce_ex__ = _refuse
    shape = property(_refuse)
    __class__ = property(_refuse)


class HostileList(list[int]):
    def __len__(self) -> int:
        raise RuntimeError("asked")


class HostileFrame(pd.DataFrame):  # type: ignore[misc]
    @property
    def shape(self) -> tuple[int, int]:
        raise RuntimeError("asked")


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ([1, 2], "2 items"),
        ("x" * 1000, "1,000 characters"),
        (collections.OrderedDict(a=1), "1 key"),
        (collections.deque([1]), "1 item"),
        (array.array("i", [1, 2]), "2 items"),
        (range(10**6), "1,000,000 items"),
        (np.zeros((3, 4)), "3 x 4"),
        (pd.DataFrame({"a": [1, 2]}), "2 x 1"),
        (pd.Series([1, 2]), "2 items"),
        (5, ""),
        (Hostile(), ""),
        (HostileList([1, 2]), "2 items"),
        (HostileFrame({"a": [1, 2]}), "2 x 1"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_size_is_told_without_asking_the_object(value: Any, size: str) -> None:
    assert size_of(value) == size


def test_a_hostile_object_is_shared_and_shown(session: Session) -> None:
    share(Hostile(), name="hostile")
    assert "hostile (Hostile)" in repr(shared)
    (row,) = overview_of(session).rows
    assert (row.path, row.type, row.size) == ("hostile", "Hostile", "")
    assert repr(shared.hostile).endswith(" Hostile")


def test_the_state_is_one_sentence(session: Session, worker: Worker) -> None:
    assert overview_of(session).state.startswith("No server runs")
    proxy = share([1], name="numbers")
    assert overview_of(session).state == (
        "Serving 1 object; no worker has connected yet."
    )
    assert worker.run(len, proxy) == 1
    assert overview_of(session).state == "Serving 1 object to 1 worker."
    session.unshare(["numbers"])
    assert overview_of(session).state.startswith("Ready, nothing shared yet")


def test_calls_and_errors_are_in_the_row(session: Session, worker: Worker) -> None:
    proxy = share({"a": "x" * 150}, name="cfg", bufsize=100)
    assert worker.eval("cfg['a']", cfg=proxy) == "x" * 150
    with pytest.raises(KeyError):
        worker.eval("cfg['b']", cfg=proxy)
    # A call is counted when its answer is on its way.
    assert wait_until(lambda: overview_of(session).rows[0].calls == 2)
    (row,) = overview_of(session).rows
    assert len(row.pids) == 1
    assert row.bytes_out > 150
    assert 150 < row.peak < row.bufsize == 4096
    assert row.last_error == "KeyError: 'b'"


def test_chained_objects_stand_below_their_name(session: Session) -> None:
    share({"a": [1], "b": [2]}, name="cfg")
    share([1], name="other")
    held = ref(shared.cfg)["a"]
    rows = overview_of(session).rows
    assert [(row.path, row.level) for row in rows] == [
        ("cfg", 0),
        ("cfg[]", 1),
        ("other", 0),
    ]
    assert held[0] == 1


def test_of_many_chained_objects_the_first_are_shown(session: Session) -> None:
    share([[i] for i in range(20)], name="many")
    held = [ref(shared.many)[i] for i in range(20)]
    overview = overview_of(session)
    assert len(overview.rows) == 1 + MOST_CHAINED
    assert overview.left_out == len(held) - MOST_CHAINED
