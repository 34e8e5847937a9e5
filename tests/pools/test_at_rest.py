"""
The threads of the kernel sleep while pools are at work and nobody looks.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .kernels import PoolKernel

pytestmark = pytest.mark.slow

#: How often each of our threads has gone to sleep; when all do (proc(5)).
COUNT = """
import json

def status(thread):
    with open(f"/proc/self/task/{thread.native_id}/status") as file:
        words = dict(line.split(":", 1) for line in file)
    return words["State"].split()[0], int(words["voluntary_ctxt_switches"])

def our_threads():
    return [each for each in threading.enumerate() if each.name.startswith("duck-")]

def sleeps():
    end = time.monotonic() + 20
    while any(status(each)[0] != "S" for each in our_threads()):
        assert time.monotonic() < end, "a thread of ours does not sleep"
    return {each.name: status(each)[1] for each in our_threads()}

board = {}
%share board

def score(i):
    shared.board[i] = i
    return work.compute(2)
"""
#: Its tasks are those of the cell before: their progress has ended with that.
WATCH = """
before = sleeps()
for task in tasks:
    result(task)
after = sleeps()
print(json.dumps([before, after]))
"""


@pytest.mark.parametrize(
    ("kind", "method"), [("executor", "fork"), ("executor", "spawn"), ("Pool", "spawn")]
)
def test_no_thread_wakes_while_tasks_run_and_nobody_looks(
    own_kernel: PoolKernel, kind: str, method: str
) -> None:
    assert not own_kernel.cell(COUNT).error
    ran = own_kernel.cell(
        f"pool = make({kind!r}, {method!r})\n"
        "tasks = [submit(pool, score, i) for i in range(2)]\n"
        "while len(board) < 2: threading.Event().wait(0.01)"
    )
    assert not ran.error, ran.error
    ran = own_kernel.cell(WATCH)
    assert not ran.error, ran.error
    before, after = json.loads(ran.text)
    assert {"duck-interrupt", "duck-output"} <= set(before)
    assert "duck-progress" not in after
    # One that goes to sleep just then may be counted afterwards.
    woken = {name: after[name] - before[name] for name in after if name in before}
    assert max(woken.values()) <= 1, woken
    assert not own_kernel.cell("end(pools.pop())").error
