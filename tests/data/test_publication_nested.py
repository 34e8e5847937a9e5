"""
A hand-over of an object in the middle of handing it over, as in a signal handler.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from duck_jupyter.data.attach import encoded, rebuild
from duck_jupyter.data.store import Store
from tests.interruption.steps import PACKAGE, At, Survey


def test_a_signal_handler_may_hand_over_what_is_being_handed_over() -> None:
    store = Store()
    publication = store.publication("df")
    value = np.zeros(5000)
    rebuild(encoded(publication.handle(value)))
    value[0] = 1
    survey = Survey(PACKAGE)
    rebuild(encoded(survey.run(lambda: publication.handle(value))))
    steps = [step for step in survey.steps() if step.signals]
    reached = 0
    for n, step in enumerate(steps):
        value[:] = n
        inner: list[Any] = []
        at = At(PACKAGE, step, lambda: inner.append(publication.handle(value)))  # noqa: B023
        outer = at.run(lambda: publication.handle(value))
        reached += at.reached
        for handle in [*inner, outer]:
            assert (rebuild(encoded(handle)) == n).all()
    assert reached > len(steps) * 0.9
    assert publication.versions().kept <= 2
    store.close()
