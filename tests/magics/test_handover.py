"""
%share and then an ordinary pool, in a notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.picklers import look_at

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .cells import Cells

PREPARE = """
import numpy as np
from multiprocessing.reduction import ForkingPickler
array = np.ones(100_000)
def size(obj):
    return len(ForkingPickler.dumps(obj))
"""

POOLS = {
    "loky": "from loky import ProcessPoolExecutor as Pool",
    "fork": """
from multiprocessing import get_context
from concurrent.futures import ProcessPoolExecutor
def Pool(count):
    return ProcessPoolExecutor(count, get_context("fork"))
""",
}


@pytest.fixture(autouse=True)
def variables(cells: Cells) -> None:
    cells.run(PREPARE)


def test_a_shared_variable_goes_as_a_handle(cells: Cells) -> None:
    assert cells.run("size(array)") > 800_000
    cells.run("%share array")
    assert cells.run("size([array, {'a': array}])") < 2048
    cells.run("%unshare array")
    assert cells.run("size(array)") > 800_000


def test_with_no_handover_it_does_not(cells: Cells) -> None:
    before = look_at()
    cells.run("%share array --no-handover")
    assert look_at() == before
    assert cells.run("size(array)") > 800_000
    cells.run("%share array")
    assert cells.run("size(array)") < 2048
    cells.run("%share array --no-handover")
    assert look_at() == before


def test_the_variable_is_followed_without_sharing_it_again(
    cells: Cells,
) -> None:
    cells.run("%share array\nfirst = array")
    cells.run("array = array + 1")
    assert cells.run("size(array)") < 2048
    assert cells.run("size(first)") > 800_000


def test_after_the_last_line_all_picklers_are_as_they_were(
    cells: Cells, shell: InteractiveShell
) -> None:
    # Functions of cells need a place in them as long as the extension is loaded.
    shell.config.DuckJupyter.pools = False
    cells.run("%config DuckJupyter.pools = False")
    before = look_at()
    for end in ("%duck stop", "del array", "%unload_ext duck_jupyter"):
        cells.run(PREPARE)
        cells.run("%reload_ext duck_jupyter\n%share array")
        assert look_at() != before
        cells.run(end)
        cells.run("size(1)")
        assert look_at() == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", POOLS)
def test_functions_of_cells_get_the_shared_memory(cells: Cells, kind: str) -> None:
    """
    The functions that loky ships by value may name the variable, too.
    """
    cells.run(
        "def look(obj, at):\n"
        "    from tests.support.handed import lies_in_a_file\n"
        "    return lies_in_a_file(obj), float(obj[at])\n"
        "def name(at): return look(array, at)\n"
    )
    cells.run(POOLS[kind])
    cells.run("%share array")
    cells.run(
        "with Pool(2) as pool:\n  found = list(pool.map(look, [array] * 2, [1, 2]))"
    )
    assert cells["found"] == [(True, 1.0)] * 2
    cells.run("array[1] = 5")
    cells.run("with Pool(2) as pool:\n  found = list(pool.map(name, [1, 2]))")
    assert [number for _, number in cells["found"]] == [5.0, 1.0]
