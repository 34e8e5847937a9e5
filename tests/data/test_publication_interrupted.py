"""
A hand-over that is interrupted: what was handed over before still arrives.
"""

from __future__ import annotations

import contextlib

import numpy as np

from duck_jupyter.data.attach import encoded, rebuild
from duck_jupyter.data.store import Store
from tests.interruption.steps import PACKAGE, At, Cut, Survey


def test_an_interrupt_at_any_step_leaves_the_handle_before() -> None:
    store = Store()
    publication = store.publication("df")
    value = np.zeros(5000)
    before = publication.handle(value)
    value[:] = 1
    survey = Survey(PACKAGE)
    rebuild(encoded(survey.run(lambda: publication.handle(value))))
    rebuild(encoded(before))

    def interrupt() -> None:
        raise Cut

    steps = [step for step in survey.steps() if step.signals]
    for n, step in enumerate(steps):
        value[:] = n
        before = publication.handle(value)
        value[:] = -1
        with contextlib.suppress(Cut):
            At(PACKAGE, step, interrupt).run(lambda: publication.handle(value))
        assert (rebuild(encoded(before)) == n).all()
    store.close()
