"""
The operations that are cut, entered again and killed at any step, over a stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .choice import LIMIT_S
from .far import FAR_OPERATIONS, open_ways
from .runs import CUT, KILLED, NESTED

if TYPE_CHECKING:
    from .bench import Bench
    from .choice import Choice
    from .conftest import Walk
    from .operation import Operation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S)]


@pytest.mark.parametrize("mode", [CUT, NESTED, KILLED])
@pytest.mark.parametrize("kind", FAR_OPERATIONS, ids=lambda kind: kind.__name__)
def test_a_call_from_another_host_at_any_step(
    kind: type[Operation], mode: str, bench: Bench, walk: Walk, choice: Choice
) -> None:
    open_ways(bench)
    operation = kind()
    # Each call takes several calls of the system, so one in ten steps has to do.
    operation.large = True
    walk(operation, mode).demand_right(str(choice))
