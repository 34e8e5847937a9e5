"""
Whoever pickles for anything but a pool is not concerned, and nothing stays behind.
"""

from __future__ import annotations

import copy
import gzip
import importlib
import io
import pickle
import sys
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from duck_jupyter.data.handover import handover
from tests.support.handed import Box, Handed, give
from tests.support.picklers import load_all, look_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

joblib = importlib.import_module("joblib")

REDUCTIONS = ["loky.backend.reduction", "joblib.externals.loky.backend.reduction"]


@pytest.fixture(scope="module", autouse=True)
def everything_loaded() -> None:
    """
    Import all that pickles for pools, so that all of it is there to be disturbed.
    """
    load_all()


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """
    End each test with nothing handed over.
    """
    yield
    handover.clear()


def dump_joblib(obj: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(obj, buffer)
    return buffer.getvalue()


def python_pickler(obj: Any) -> bytes:
    buffer = io.BytesIO()
    pickle._Pickler(buffer).dump(obj)
    return buffer.getvalue()


WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": pickle.dumps,
    "pickle 5": lambda obj: pickle.dumps(obj, 5),
    "pickle in Python": python_pickler,
    "cloudpickle": cloudpickle.dumps,
    "cloudpickle of a function": lambda obj: cloudpickle.dumps(lambda: obj),
    "joblib.dump": dump_joblib,
    "joblib.hash": joblib.hash,
    "copy": lambda obj: pickle.dumps(copy.deepcopy(obj)),
}


@pytest.mark.parametrize("way", WAYS)
def test_other_users_of_pickle_get_the_same_bytes_as_ever(way: str) -> None:
    frame = pd.DataFrame({"a": np.arange(5), "b": list("abcde")})
    array = frame["a"].to_numpy().copy()
    before = [WAYS[way](obj) for obj in (frame, array, [frame, array])]
    handover.add(frame, give("frame"))
    handover.add(array, give("array"))
    assert [WAYS[way](obj) for obj in (frame, array, [frame, array])] == before


def test_files_hold_the_data(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(5), "b": list("abcde")})
    handover.add(frame, give("frame"))
    frame.to_pickle(tmp_path / "pandas")
    joblib.dump(frame, tmp_path / "joblib")
    with gzip.open(tmp_path / "cloudpickle", "wb") as file:
        cloudpickle.dump({"frame": frame}, file)
    with gzip.open(tmp_path / "cloudpickle") as file:
        found = pickle.load(file)["frame"]
    for loaded in (pd.read_pickle(tmp_path / "pandas"), found):
        pd.testing.assert_frame_equal(loaded, frame)
    pd.testing.assert_frame_equal(joblib.load(tmp_path / "joblib"), frame)


def test_a_cache_of_joblib_knows_the_array_again(tmp_path: Path) -> None:
    calls: list[int] = []

    def total(array: Any) -> Any:
        calls.append(1)
        return array.sum()

    memory = joblib.Memory(tmp_path, verbose=0)
    cached = memory.cache(total)
    array = np.arange(1000)
    assert cached(array) == cached(array) == array.sum()
    handover.add(array, give("array"))
    assert cached(array) == array.sum()
    assert len(calls) == 1


@pytest.mark.parametrize("end", ["discard", "clear"])
def test_all_is_again_what_it_was(end: str) -> None:
    before = look_at()
    box, array = Box(1), np.arange(3)
    handover.add(box, give("box"))
    handover.add(array, give("array"))
    assert look_at() != before
    for name in REDUCTIONS:
        assert pickle.loads(sys.modules[name].dumps(box)) == Handed("box")
    if end == "clear":
        handover.clear()
    else:
        handover.discard(box)
        handover.discard(array)
    assert look_at() == before


def test_registered_reducers_are_never_touched() -> None:
    registered = dict(ForkingPickler._extra_reducers)  # type: ignore[attr-defined]
    handover.add(Box(1), give("box"))
    assert ForkingPickler._extra_reducers == registered  # type: ignore[attr-defined]


def test_what_others_put_over_ours_stays_and_works() -> None:
    pickler: Any = ForkingPickler
    box, other = Box(1), Box(2)
    handover.add(box, give("box"))
    ours = pickler.reducer_override

    def theirs(self: Any, obj: Any) -> Any:
        return (Handed, ("theirs",)) if obj is other else ours(self, obj)

    def cross(*objects: Any) -> Any:
        return pickle.loads(bytes(pickler.dumps(objects)))

    pickler.reducer_override = theirs
    try:
        assert cross(box, other) == (Handed("box"), Handed("theirs"))
        handover.clear()
        assert cross(box, other) == (box, Handed("theirs"))
        # It stands on ours, which declines everything until there is something again.
        handover.add(box, give("again"))
        assert cross(box, other) == (Handed("again"), Handed("theirs"))
        handover.clear()
        assert pickler.reducer_override is theirs
    finally:
        del pickler.reducer_override


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("pickler", ["pickle", "cloudpickle"])
def test_another_pickler_for_loky_hands_over_as_well(name: str, pickler: str) -> None:
    reduction: Any = sys.modules[name]
    before = look_at()
    box = Box(1)
    handover.add(box, give("box"))
    first = reduction.get_loky_pickler()
    try:
        for _ in range(2):
            reduction.set_loky_pickler("pickle" if pickler == "cloudpickle" else None)
            reduction.set_loky_pickler(pickler)
            assert reduction.get_loky_pickler() is not first
            assert pickle.loads(reduction.dumps([box])) == [Handed("box")]
        handover.clear()
        assert "reducer_override" not in vars(reduction.get_loky_pickler())
        assert "dump" not in vars(reduction.get_loky_pickler())
        assert pickle.loads(reduction.dumps([box])) == [box]
    finally:
        reduction.set_loky_pickler()
        reduction._LokyPickler = first
    assert look_at() == before
