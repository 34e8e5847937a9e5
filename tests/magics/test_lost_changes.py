"""
Changes that would be lost, in the cells of a real kernel and its workers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .kernels import CellError

if TYPE_CHECKING:
    from .kernels import Kernel

pytestmark = pytest.mark.slow

SHARE = """
%load_ext duck_jupyter
from duck_jupyter import ref, share
rows = {"a": []}
%share rows
"""
POOL = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

def add(rows):
    rows["a"].append(1)

def add_through_ref(rows):
    ref(rows)["a"].append(1)

with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
    pool.submit({job}, shared.rows).result()
"""


def test_a_worker_quotes_the_cell_and_its_advice_works(kernel: Kernel) -> None:
    kernel.run(SHARE)
    with pytest.raises(CellError) as caught:
        kernel.run(POOL.format(job="add"))

    assert str(caught.value).startswith('LostChange: `rows["a"].append(1)` would')
    assert '`ref(rows)["a"].append(1)`' in str(caught.value)
    assert kernel.value("rows") == {"a": []}
    kernel.run(POOL.format(job="add_through_ref"))
    assert kernel.value("rows") == {"a": [1]}


def test_in_the_notebook_itself_nothing_is_lost(kernel: Kernel) -> None:
    kernel.run(SHARE)
    kernel.run("shared.rows['a'].append(1)\nshared.rows['a'][0] += 1")

    assert kernel.value("rows") == {"a": [2]}


def test_a_cell_that_works_on_the_objects_of_another_kernel_is_quoted(
    kernel: Kernel,
) -> None:
    kernel.run(SHARE)
    data = kernel.value("__import__('pickle').dumps(shared.rows).hex()")
    with type(kernel)() as other:
        other.run(f"import pickle; p = pickle.loads(bytes.fromhex({data!r}))")
        with pytest.raises(CellError, match=r'`p\["a"\]\.append\(1\)` would'):
            other.run('%timeit -n 1 -r 1 1\np["a"].append(1)')
        other.run('x = p["a"]; x.append(1)')

    assert kernel.value("rows") == {"a": []}
