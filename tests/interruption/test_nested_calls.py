"""
A call inside another, at any step of it: both are right, and both are applied once.

So it is when a signal handler, a destructor or a trace function uses a proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .choice import LIMIT_S
from .operations import OPERATIONS
from .owning import OWNER_OPERATIONS
from .runs import NESTED

if TYPE_CHECKING:
    from .choice import Choice
    from .conftest import Walk
    from .operation import Operation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S)]


@pytest.mark.parametrize(
    "kind", [*OPERATIONS, *OWNER_OPERATIONS], ids=lambda kind: kind.__name__
)
def test_a_call_inside_another_leaves_both_right(
    kind: type[Operation], walk: Walk, choice: Choice
) -> None:
    walk(kind(), NESTED).demand_right(str(choice))
