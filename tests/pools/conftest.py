"""
Kernels with the extension, for the tests of a module or of one test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.magics.kernels import Kernel

from .kernels import PoolKernel

if TYPE_CHECKING:
    from collections.abc import Iterator

PREPARE = """
%load_ext duck_jupyter
import contextlib
from tests.support.pools import POOLS, open_pool
stack = contextlib.ExitStack()
pools = {kind: stack.enter_context(open_pool(kind)) for kind in POOLS}
for run in pools.values():
    run(abs, [-1, -2])
del run
"""


@pytest.fixture(scope="module")
def notebook(own_folders: None) -> Iterator[Kernel]:
    """
    A kernel with the extension, and a dict ``pools`` of functions that map by kind.
    """
    with Kernel() as kernel:
        kernel.run(PREPARE)
        yield kernel
        kernel.run("stack.close()")


@pytest.fixture(scope="module")
def shared_kernel(own_folders: None) -> Iterator[PoolKernel]:
    """
    A kernel with the extension, for all tests of a module.
    """
    with PoolKernel() as kernel:
        kernel.start_helpers()
        yield kernel


@pytest.fixture
def pool_kernel(shared_kernel: PoolKernel) -> Iterator[PoolKernel]:
    """
    The kernel, whose pools end with the test.
    """
    yield shared_kernel
    ran = shared_kernel.cell("while pools: end(pools.pop())")
    assert not ran.error, ran.error


@pytest.fixture
def own_kernel(own_folders: None) -> Iterator[PoolKernel]:
    """
    A kernel with the extension, which the test may end.
    """
    with PoolKernel() as kernel:
        yield kernel
