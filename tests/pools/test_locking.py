"""
An Interrupt leaves no lock taken, neither in the notebook nor in a worker.

Each cell takes and releases a lock all the time. Without the product every third
Interrupt or so leaves it taken for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .kernels import PoolKernel

pytestmark = pytest.mark.slow

#: How many Interrupts each lock gets.
INTERRUPTS = 20
#: By name: how a lock is made, and what is done with it.
LOCKS = {
    "Condition": ("threading.Condition(threading.Lock())", "with lock: pass"),
    "Event": ("threading.Event()", "lock.set()"),
    "multiprocessing.Lock": (
        "multiprocessing.get_context('fork').Lock()",
        "with lock: pass",
    ),
}
#: How to see whether a lock can be taken.
FREE = """
def is_free():
    taken = getattr(lock, "_cond", lock)
    if not taken.acquire(timeout=5):
        return False
    taken.release()
    return True
"""


@pytest.mark.parametrize("name", LOCKS)
def test_an_interrupted_cell_leaves_the_lock_free(
    pool_kernel: PoolKernel, name: str
) -> None:
    make, use = LOCKS[name]
    ran = pool_kernel.cell(
        f"{FREE}pool, lock = make('executor', 'fork'), {make}\n"
        "result(submit(pool, abs, -1))"
    )
    assert not ran.error, ran.error
    for _ in range(INTERRUPTS):
        ran = pool_kernel.cell(
            f"print('at work', flush=True)\nwhile True:\n    {use}",
            interrupt_at="at work",
        )
        assert "KeyboardInterrupt" in ran.error, ran.error
        ran = pool_kernel.cell("print(is_free())")
        assert (ran.text, ran.error) == ("True\n", "")


def test_a_cell_that_waits_for_a_lock_is_interrupted(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "pool, lock = make('executor', 'fork'), threading.Condition()\n"
        "result(submit(pool, abs, -1))\n"
        "thread = threading.Thread(target=lock.acquire)\n"
        "thread.start(); thread.join()\n"
        "print('at work', flush=True)\n"
        "with lock: pass",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error


@pytest.mark.parametrize("kind", ["executor", "Pool"])
def test_an_interrupted_task_leaves_the_lock_free(
    pool_kernel: PoolKernel, kind: str
) -> None:
    ran = pool_kernel.cell(
        "lock = multiprocessing.get_context('fork').Lock()\n"
        f"{FREE}pool = make({kind!r}, 'fork', 1)\n"
        "def take():\n"
        "    print('at work', flush=True)\n"
        "    while True:\n"
        "        with lock: pass"
    )
    assert not ran.error, ran.error
    for _ in range(INTERRUPTS):
        ran = pool_kernel.cell("result(submit(pool, take))", interrupt_at="at work")
        assert "KeyboardInterrupt" in ran.error, ran.error
        ran = pool_kernel.cell("print(result(submit(pool, is_free)), is_free())")
        assert (ran.text, ran.error) == ("True True\n", "")
