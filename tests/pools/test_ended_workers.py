"""
What is kept of a pool's worker that has ended.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .kernels import PoolKernel

pytestmark = pytest.mark.slow

CODE = """
import json
from duck_jupyter.magics.extension import _hub
numbers = {}
%share numbers
pool = make("executor", "fork", 1)
def note(i): shared.numbers[i] = os.getpid()
list(pool.map(note, range(7)))
end(pools.pop())
# The server learns from the system that the worker has ended.
last, tasks = time.monotonic() + 20, []
while not tasks and time.monotonic() < last:
    ended = _hub.ticker.look().ended
    tasks = [row.tasks for row in ended if row.pid == numbers[0]]
print(json.dumps(tasks))
"""


def test_a_worker_that_has_ended_keeps_its_count(own_kernel: PoolKernel) -> None:
    ran = own_kernel.cell(CODE)
    assert not ran.error, ran.error
    assert json.loads(ran.text.splitlines()[-1]) == [7]
