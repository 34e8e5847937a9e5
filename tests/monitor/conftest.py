"""
Kernels in which the extension is loaded, each for all tests of a module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.magics.kernels import Kernel

from .fronts import Front

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def kernel(own_folders: None) -> Iterator[Kernel]:
    """
    A kernel in a process of its own, in which nothing is loaded.
    """
    with Kernel() as kernel:
        yield kernel


@pytest.fixture
def front(kernel: Kernel) -> Iterator[Front]:
    """
    A front end of the kernel, in which the extension is loaded.
    """
    kernel.run("%load_ext duck_jupyter\nconfig = {'depth': 3}\n%share config")
    front = Front(kernel)
    front.drain()
    yield front
    kernel.run("%unload_ext duck_jupyter")
