"""
Parts of shared arrays and frames that are passed to real pools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter import fetch, share, shared
from duck_jupyter.session.names import Source, Terms
from duck_jupyter.session.shared_names import Wish
from tests.support.parts import fill, fill_a, look_at_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from duck_jupyter.session.session import Session

    Run = Callable[[Callable[..., Any], list[Any]], list[Any]]

pytestmark = pytest.mark.slow

ROWS, COLUMNS = 1000, 6


def share_in_place(session: Session, value: Any) -> Any:
    """
    Share a value in place, and give it where it lies then.
    """
    variables = {"value": value}
    wish = Wish("value", value, Source(variables, "value"))
    session.share([wish], Terms(inplace=True))
    return variables["value"]


def test_what_workers_write_to_parts_in_place_is_seen(
    run: Run, session: Session
) -> None:
    arr = share_in_place(session, np.zeros((ROWS, COLUMNS)))
    parts_of: list[list[Any]] = [
        [arr[: ROWS // 2], arr[ROWS // 2 :]],
        np.array_split(arr, 4),
        [arr[:, 2]],
        [arr.T],
        [arr.reshape(-1, 3)[::-1]],
        [fetch(shared.value)],
    ]
    for parts in parts_of:
        arr[:] = 0
        run(fill, parts)
        assert arr.sum() == sum(part.size for part in parts)


def test_what_workers_write_to_rows_of_a_frame_in_place_is_seen(
    run: Run, session: Session
) -> None:
    frame = pd.DataFrame({"a": np.zeros(ROWS), "b": np.zeros(ROWS)})
    df = share_in_place(session, frame)
    run(fill_a, [df.iloc[:10], df.iloc[100:150]])
    assert df["a"].sum() == 60
    assert df["b"].sum() == 0


def test_workers_get_private_copies_of_other_parts(run: Run, session: Session) -> None:
    arr = np.ones((10 * ROWS, COLUMNS))
    df = pd.DataFrame({"a": np.ones(10 * ROWS), "b": 2.0})
    share(arr, name="arr")
    share(df, name="df")
    parts = [*np.array_split(arr, 3), arr[:, 1], arr.T, df["a"].to_numpy()]
    found = run(look_at_part, parts)
    assert found == [(part.size, True) for part in parts]
    assert arr.all()
    assert df["a"].all()


def test_each_task_sees_its_own_state_of_a_part(run: Run, session: Session) -> None:
    arr = np.zeros((10 * ROWS, COLUMNS))
    share(arr, name="arr")
    sums = []
    for number in range(4):
        arr[0] = number
        sums += [found[0] for found in run(look_at_part, [arr[:ROWS]])]
    assert sums == [number * COLUMNS for number in range(4)]
