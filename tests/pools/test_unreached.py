"""
Pools that were made before the extension was loaded, and pools that pickle themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.magics.kernels import CellError, Kernel
from tests.support.pools import POOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def cells(own_folders: None) -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run(
            "import contextlib\n"
            "from tests.support.foreign import call_in_worker\n"
            "from tests.support.pools import POOLS, open_pool\n"
            "stack = contextlib.ExitStack()\n"
            "pools = {x: stack.enter_context(open_pool(x)) for x in POOLS}\n"
            "for run in pools.values():\n"
            "    run(abs, [-1, -2])\n"
        )
        kernel.run("%load_ext duck_jupyter")
        kernel.run(
            "class Point:\n    pass\n"
            "def helper(i):\n    return i + 1\n"
            "def work(i):\n    return helper(i), Point()\n"
        )
        yield kernel
        kernel.run("stack.close()")


@pytest.mark.parametrize("kind", POOLS)
def test_a_pool_that_was_made_before_runs_functions_of_cells(
    cells: Kernel, kind: str
) -> None:
    cells.run(f"found = pools[{kind!r}](work, [1, 2])")
    assert cells.value("[(x[0], type(x[1]) is Point) for x in found]") == [
        [2, True],
        [3, True],
    ]


def test_a_pool_that_pickles_by_itself_is_explained_when_it_fails(
    cells: Kernel,
) -> None:
    cells.run(
        "import io, sys\n"
        "before, sys.stderr = sys.stderr, io.StringIO()\n"
        "value = call_in_worker(abs, -1)\n"
    )
    with pytest.raises(CellError, match="Can't get attribute 'helper'"):
        cells.run("call_in_worker(helper, 1)")
    cells.run("said, sys.stderr = sys.stderr.getvalue(), before")
    said = cells.value("said")
    assert said.count("\n") == 1
    assert "helper is defined in a cell" in said
    assert "Write helper into a module and import it" in said
