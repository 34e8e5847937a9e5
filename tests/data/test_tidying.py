"""
Memory that workers have let go, which nobody tells the publisher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from duck_jupyter.data import store as storing
from duck_jupyter.data.attach import attach
from duck_jupyter.data.store import Store
from tests.support.processes import wait_until

if TYPE_CHECKING:
    import pytest

    from duck_jupyter.data.handles import Handle


def test_memory_that_workers_let_go_is_given_back_though_nobody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    All but one version, which is kept to be used again.
    """
    monkeypatch.setattr(storing, "TIDY_EVERY_S", 0.05)
    store = Store()
    publication = store.publication("a")
    value = np.zeros(1 << 16)
    views = []
    for state in range(5):
        value[:] = state
        views.append(attach(cast("Handle", publication.handle(value))))
    assert len(publication._older) == 4
    assert [view[0] for view in views] == [0, 1, 2, 3, 4]
    views.clear()
    assert wait_until(lambda: len(publication._older) == 1)
    assert wait_until(lambda: store._tidying is None)
    store.close()
