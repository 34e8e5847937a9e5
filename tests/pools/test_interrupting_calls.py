"""
An Interrupt ends what tasks are at, however it is sent and wherever the cell is.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import wait_until

from .kernels import WAYS

if TYPE_CHECKING:
    from pathlib import Path

    from .kernels import PoolKernel

pytestmark = pytest.mark.slow

#: What the tasks are at; what is called in the notebook blocks for ever.
TASKS = {
    "numpy": "work.convolve, {path!r}",
    "proxy": "work.call, {path!r}, shared.gate.wait",
    "queue": "work.call, {path!r}, shared.items.get",
    "own queue": "lambda path: (work.rest(path, 0), queue.Queue().get()), {path!r}",
    "loop": "work.spin, {path!r}",
    "ignoring": "work.stubborn, {path!r}",
}
POOLS = [("executor", "spawn"), ("Pool", "forkserver"), ("loky", "spawn")]
#: Each way and each task, in one kind of pool after another.
CASES = [
    (how, task, *pool)
    for (how, task), pool in zip(
        itertools.product(WAYS, TASKS), itertools.cycle([*POOLS, *POOLS[1:]])
    )
]
GO = """
import queue
gate, items = threading.Event(), queue.Queue()
get_ipython().run_line_magic("share", "gate items")
"""


@pytest.mark.parametrize(("how", "task", "kind", "method"), CASES)
def test_the_cell_ends_and_the_pool_takes_the_next_task(
    pool_kernel: PoolKernel,
    tmp_path: Path,
    how: str,
    task: str,
    kind: str,
    method: str,
) -> None:
    """
    The task of another cell in the same pool ends well, and no item of a queue is lost.
    """
    path = tmp_path / "begun"
    ran = pool_kernel.cell(
        f"{GO}pool = make({kind!r}, {method!r}, 2)\n"
        f"other = submit(pool, work.wait_for, {str(path) + '.go'!r})"
    )
    assert not ran.error
    ran = pool_kernel.cell(
        f"task = submit(pool, {TASKS[task].format(path=str(path))})\n"
        "print('at work', flush=True)\n"
        "result(task)",
        interrupt_at="at work",
        interrupt=lambda: (wait_until(path.exists, 20), WAYS[how](pool_kernel)),
    )
    assert "KeyboardInterrupt" in ran.error
    ran = pool_kernel.cell("print(result(submit(pool, abs, -3)))")
    assert (ran.text, ran.error) == ("3\n", "")
    assert ran.took < 4
    ran = pool_kernel.cell(
        f"open({str(path) + '.go'!r}, 'w').close()\n"
        "items.put('kept')\n"
        "print(result(other), items.get(timeout=10))"
    )
    assert (ran.text, ran.error) == ("it went on kept\n", "")
    assert not pool_kernel.cell("get_ipython().run_line_magic('duck', 'stop')").error


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("kind", "method"), [*POOLS, ("executor", "fork")])
def test_a_line_that_submits_is_interrupted(
    pool_kernel: PoolKernel, how: str, kind: str, method: str
) -> None:
    """
    Wherever it is: in our code, in the pool's, or where workers start.
    """
    pool_kernel.cell(f"pool = make({kind!r}, {method!r})")
    for _ in range(3):
        ran = pool_kernel.cell(
            "print('at work', flush=True)\n"
            "for _ in range(10**9):\n"
            "    last = submit(pool, abs, -3)\n"
            "    if _ % 100 == 99: result(last)",
            interrupt_at="at work",
            interrupt=lambda: WAYS[how](pool_kernel),
        )
        assert "KeyboardInterrupt" in ran.error
        assert ran.took < 4
        ran = pool_kernel.cell("print(result(submit(pool, abs, -3)))")
        assert (ran.text, ran.error) == ("3\n", ""), ran.error


@pytest.mark.parametrize("name", ["__del__", "other"])
def test_an_interrupt_in_a_destructor_is_not_lost(
    pool_kernel: PoolKernel, name: str
) -> None:
    """
    Python prints and drops what is raised there. Not all are called ``__del__``.
    """
    ran = pool_kernel.cell(
        "class Slow:\n"
        f"    def {name}(self):\n"
        "        print('at work', flush=True)\n"
        "        end = time.monotonic() + 0.3\n"
        "        while time.monotonic() < end: pass\n"
        f"    __del__ = {name}\n"
        "pool = make('executor', 'fork')\n"
        "task = submit(pool, work.wait_for, '/')\n"
        "del Slow().__dict__\n"
        "print('went on', flush=True)\n"
        "threading.Event().wait(20)",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    assert "Exception ignored" not in ran.text
    assert ran.took < 4


@pytest.mark.parametrize(("kind", "method"), POOLS)
def test_a_second_interrupt_while_the_cell_ends_does_no_harm(
    pool_kernel: PoolKernel, tmp_path: Path, kind: str, method: str
) -> None:
    path, ending = tmp_path / "begun", tmp_path / "ending"

    def interrupt_twice() -> None:
        wait_until(path.exists, 20)
        pool_kernel.signal()
        wait_until(ending.exists, 20)
        pool_kernel.signal()

    pool_kernel.cell(f"pool = make({kind!r}, {method!r})")
    for last in ("threading.Event().wait(10)", "pass", "pass"):
        path.unlink(missing_ok=True)
        ending.unlink(missing_ok=True)
        ran = pool_kernel.cell(
            f"tasks = [submit(pool, work.stubborn, {str(path)!r}) for _ in range(9)]\n"
            "try:\n"
            "    print('at work', flush=True)\n"
            "    result(tasks[0])\n"
            "finally:\n"
            f"    open({str(ending)!r}, 'w').close()\n"
            f"    {last}",
            interrupt_at="at work",
            interrupt=interrupt_twice,
        )
        # IPython shows it in short where it is interrupted while it shows the first.
        assert "KeyboardInterrupt" in ran.text + ran.error
        assert "Error in callback" not in ran.text + ran.error
        ran = pool_kernel.cell("print(result(submit(pool, abs, -3)))")
        assert (ran.text, ran.error) == ("3\n", ""), ran.error
        ran = pool_kernel.cell(
            "print(signal.getsignal(signal.SIGINT).__qualname__.count('_on_sigint'))"
        )
        # One of ours, around the kernel's own.
        assert (ran.text, ran.error) == ("1\n", "")


def test_a_stop_that_fails_is_told_and_the_next_one_works(
    pool_kernel: PoolKernel, tmp_path: Path
) -> None:
    path, go = tmp_path / "begun", str(tmp_path / "go")
    ran = pool_kernel.cell(
        "def work_until(path, go):\n"
        "    work.rest(path, 0)\n"
        "    return work.wait_for(go)\n"
        "pool = make('executor', 'spawn')\n"
        "submit(pool, abs, 1)\n"
        "numbers = pool._work_ids"
    )
    assert not ran.error

    def interrupt() -> None:
        wait_until(path.exists, 20)
        pool_kernel.signal()

    def interrupted(before: str) -> str:
        path.unlink(missing_ok=True)
        ran = pool_kernel.cell(
            f"task = submit(pool, work_until, {str(path)!r}, {go!r})\n"
            f"{before}print('at work', flush=True)\n"
            "result(task)",
            interrupt_at="at work",
            interrupt=interrupt,
        )
        assert "KeyboardInterrupt" in ran.error
        return ran.text

    said = interrupted("pool._work_ids = 7\n")
    assert "Interrupt failed to stop the tasks of this cell because of Attr" in said
    assert not pool_kernel.cell("pool._work_ids = numbers").error
    assert "Interrupt stopped 1 running task" in interrupted("")
    assert not pool_kernel.cell(f"open({go!r}, 'w').close()").error


def test_an_interrupt_at_an_instruction_without_a_line_is_shown(
    pool_kernel: PoolKernel,
) -> None:
    """
    Python adds such instructions, for example at the end of a loop.
    """
    ran = pool_kernel.cell(
        "def lost():\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "lost.__code__ = lost.__code__.replace(co_linetable=b'')\n"
        "lost()"
    )
    assert "KeyboardInterrupt" in ran.error
    assert "Unexpected exception formatting" not in ran.text
