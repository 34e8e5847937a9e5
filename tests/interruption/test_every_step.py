"""
An operation that is interrupted at any step leaves everything right.

An exception is raised before every bytecode instruction that the client's side executes
in the calling thread. It has to come out; the next three calls are right and in time,
locks are free, the operation was applied once or not at all, no item is lost, and
descriptors, blocks and threads are as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .choice import LIMIT_S
from .operations import OPERATIONS
from .owning import OWNER_OPERATIONS
from .runs import CUT

if TYPE_CHECKING:
    from .choice import Choice
    from .conftest import Walk
    from .operation import Operation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S)]


@pytest.mark.parametrize(
    "kind", [*OPERATIONS, *OWNER_OPERATIONS], ids=lambda kind: kind.__name__
)
def test_an_exception_at_any_step_leaves_everything_right(
    kind: type[Operation], walk: Walk, choice: Choice
) -> None:
    walk(kind(), CUT).demand_right(str(choice))
