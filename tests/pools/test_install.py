"""
Pools get the features, and are afterwards as they were before.
"""

from __future__ import annotations

import multiprocessing.pool
from concurrent.futures.process import ProcessPoolExecutor

import joblib.externals.loky.process_executor as joblib_loky
import loky.process_executor
import pytest

from duck_jupyter.pools import install as pools
from duck_jupyter.pools.features import Feature, features
from duck_jupyter.pools.install import install, uninstall

CLASSES = [
    ProcessPoolExecutor,
    loky.process_executor.ProcessPoolExecutor,
    joblib_loky.ProcessPoolExecutor,
    multiprocessing.pool.Pool,
]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__module__)
def test_uninstalling_leaves_no_trace(kind: type) -> None:
    before = dict(vars(kind))
    install()
    try:
        assert dict(vars(kind)) != before
        install()
    finally:
        uninstall()
    assert dict(vars(kind)) == before
    uninstall()
    assert not features.all


def test_a_feature_that_cannot_begin_leaves_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Failing(Feature):
        def open(self) -> None:
            raise RuntimeError("no room")

    monkeypatch.setattr(pools, "make_features", lambda: [Feature(), Failing()])
    with pytest.raises(RuntimeError, match="no room"):
        install()
    assert not features.all
