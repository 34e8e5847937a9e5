"""
Kernels with pools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .kernels import PoolKernel

if TYPE_CHECKING:
    from collections.abc import Iterator


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
