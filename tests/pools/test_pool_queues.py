"""
A `multiprocessing.Pool` ends although its idle workers were killed just before.
"""

from __future__ import annotations

import pytest

from .kernels import METHODS, PoolKernel

pytestmark = pytest.mark.slow

#: Of two idle workers one has the lock of the queue of tasks, and the other waits for
#: it. A worker that has just sent a result may have that of the other queue.
ENDS = {
    "terminate": "pool.terminate(); pool.join()",
    "close": "pool.close(); pool.join()",
    "forget": "del pool, process; gc.collect()",
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("way", list(ENDS))
@pytest.mark.parametrize("killed", [":1", "1:", ":"])
def test_a_pool_whose_idle_workers_were_just_killed_ends(
    pool_kernel: PoolKernel, method: str, way: str, killed: str
) -> None:
    ran = pool_kernel.cell(
        "import gc\n"
        f"pool = make('Pool', {method!r}, 2)\n"
        "pool.map(abs, range(9))\n"
        "workers = list(pool._pool)\n"
        f"for process in workers[{killed}]:\n"
        "    process.kill()\n"
        f"pools.clear(); {ENDS[way]}\n"
        "for process in workers: process.join(20)\n"
        "print([process.exitcode is not None for process in workers])"
    )
    assert not ran.error
    assert ran.text.splitlines()[-1] == "[True, True]"
    assert ran.took < 10


def test_a_pool_ends_while_a_large_task_is_sent_to_a_killed_worker(
    pool_kernel: PoolKernel,
) -> None:
    ran = pool_kernel.cell(
        "pool = make('Pool', 'spawn', 1)\n"
        "pool.map(abs, range(9))\n"
        "os.kill(pool._pool[0].pid, signal.SIGSTOP)\n"
        "task = pool.apply_async(len, (b'x' * 50_000_000,))\n"
        "sent = pool._inqueue._reader\n"
        "assert sent.poll(20)\n"
        "pool._pool[0].kill()\n"
        "end(pools.pop())\n"
        "print('ended')"
    )
    assert (ran.text, ran.error) == ("ended\n", "")
