"""
A notebook whose pools are all open, for the tests of a module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.magics.kernels import Kernel

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
