"""
Interrupts at random moments, of whatever uses a pool.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from .interrupt_search import end, prepare, rounds, try_round

if TYPE_CHECKING:
    from .kernels import PoolKernel

ROUNDS = 30


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_interrupts_at_random_moments_harm_no_pool(pool_kernel: PoolKernel) -> None:
    prepare(pool_kernel)
    for chosen in itertools.islice(rounds(seed=1), ROUNDS):
        try_round(pool_kernel, chosen)
    end(pool_kernel)
