"""
A worker that is killed in the midst of a message with its result.
"""

from __future__ import annotations

import pytest

from .kernels import METHODS, PoolKernel

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_goes_on_after_a_result_that_was_cut(
    pool_kernel: PoolKernel, method: str
) -> None:
    pool_kernel.cell(f"pool = make('Pool', {method!r})")
    for _ in range(2):  # the first one is also the first result of its pool
        ran = pool_kernel.cell("pool.apply_async(work.give_cut, (50_000_000,)).get(20)")
        last = ran.error.splitlines()[-1]
        assert "WorkerDied" in last
        assert "by SIGKILL while it sent the result of give_cut(50000000)" in last
        ran = pool_kernel.cell("print(pool.map_async(abs, [-1, -2, -3]).get(20))")
        assert (ran.text, ran.error) == ("[1, 2, 3]\n", "")


def test_a_worker_may_die_while_its_pool_is_looked_at_for_the_last_one(
    pool_kernel: PoolKernel,
) -> None:
    ran = pool_kernel.cell(
        "from duck_jupyter.pools import pool_queues\n"
        "before, pool_queues.LOOK_S = pool_queues.LOOK_S, 1.0\n"
        "pool = make('Pool', 'fork')\n"
        "for _ in range(2):\n"
        "    task = pool.apply_async(work.give_cut, (50_000_000,))\n"
        "    task.wait(20)\n"
        "    print(type(task._value).__name__)\n"
        "    print(pool.map_async(abs, [-1, -2, -3]).get(20))\n"
        "pool_queues.LOOK_S = before\n"
    )
    assert (ran.text, ran.error) == ("WorkerDied\n[1, 2, 3]\n" * 2, "")


def test_a_pool_ends_with_a_result_that_was_cut(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "pool = make('Pool', 'spawn', 1)\n"
        "pool.map(abs, range(9))\n"
        "worker = pool._pool[0]\n"
        "task = pool.apply_async(work.give_cut, (50_000_000,))\n"
        "worker.join(20)\n"
        "end(pools.pop())\n"
        "print('ended')"
    )
    assert (ran.text, ran.error) == ("ended\n", "")


@pytest.mark.parametrize(
    ("kind", "method"),
    [*[("executor", method) for method in METHODS], ("loky", "spawn")],
)
def test_an_executor_is_broken_by_a_result_that_was_cut(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    ran = pool_kernel.cell(
        f"pool = make({kind!r}, {method!r})\n"
        "result(pool.submit(work.give_cut, 50_000_000))"
    )
    last = ran.error.splitlines()[-1]
    assert "by SIGKILL while it sent the result of give_cut(50000000)" in last


def test_large_results_come_whole(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "pool = make('Pool', 'fork', 3)\n"
        "sizes = [10, 4_096, 4_097, 70_000, 30_000_000] * 3\n"
        "print([len(x) for x in pool.map_async(bytes, sizes, 1).get(20)] == sizes)"
    )
    assert (ran.text, ran.error) == ("True\n", "")


def test_pools_read_as_python_does_once_the_extension_has_left(
    pool_kernel: PoolKernel,
) -> None:
    ran = pool_kernel.cell(
        "pool = make('Pool', 'fork')\n"
        "pool.map(abs, range(9))\n"
        "reader = pool._outqueue._reader\n"
        "names = {'_recv', '_recv_bytes'}\n"
        "print(names <= set(vars(reader)))\n"
        "%unload_ext duck_jupyter\n"
        "print(names & set(vars(reader)), pool.map(abs, [-1]))\n"
        "%load_ext duck_jupyter"
    )
    assert (ran.text, ran.error) == ("True\nset() [1]\n", "")
