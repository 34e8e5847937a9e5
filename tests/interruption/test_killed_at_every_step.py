"""
A worker that is killed at any step of a call takes nothing with it.

Locks are free within two seconds, the call was applied once or not at all, and the
owner holds no more than before. Each step takes a process, so that of most operations a
run covers a tenth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .choice import LIMIT_S
from .operations import OPERATIONS, Get, Locked, Method
from .runs import KILLED

if TYPE_CHECKING:
    from .choice import Choice
    from .conftest import Walk
    from .operation import Operation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S)]

COVERED_WHOLLY = (Get, Method, Locked)


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
def test_a_worker_killed_at_any_step_takes_nothing_with_it(
    kind: type[Operation], walk: Walk, choice: Choice
) -> None:
    operation = kind()
    operation.large = kind not in COVERED_WHOLLY
    walk(operation, KILLED).demand_right(str(choice))
