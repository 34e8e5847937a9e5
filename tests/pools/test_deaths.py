"""
A worker that died is explained within 2 s, and nobody waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .kernels import METHODS, PoolKernel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

EXECUTORS = [*[("executor", method) for method in METHODS], ("loky", "spawn")]


@pytest.mark.parametrize(("kind", "method"), EXECUTORS)
def test_an_executor_says_how_its_worker_died(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    ran = pool_kernel.cell(
        f"pool = make({kind!r}, {method!r})\n"
        "task = pool.submit(work.die, 9, 'UA', [7] * 99)\n"
        "result(task)"
    )
    assert ran.took < 6
    last = ran.error.splitlines()[-1]
    assert "was killed by SIGKILL while it ran die(9, 'UA', [7, 7, 7, ...])" in last
    assert "were in use: memory was not short. Make a new pool." in last
    assert ran.error.count("SIGKILL") < 3
    ran = pool_kernel.cell("pool.submit(abs, -1)")
    assert "Make a new pool." in ran.error or kind == "loky"


@pytest.mark.parametrize("method", METHODS)
def test_a_broken_executor_refuses_tasks_with_one_text(
    pool_kernel: PoolKernel, method: str
) -> None:
    """
    From the moment when its tasks fail, also while it ends its workers.
    """
    ran = pool_kernel.cell(
        f"pool = make('executor', {method!r})\n"
        "texts = set()\n"
        "task = pool.submit(work.die, 9, 'UA', [7] * 99)\n"
        "try:\n"
        "    result(task)\n"
        "except concurrent.futures.BrokenExecutor as error:\n"
        "    told = str(error)\n"
        "while pool._executor_manager_thread is not None and (\n"
        "        pool._executor_manager_thread.is_alive()) or not texts:\n"
        "    try:\n"
        "        pool.submit(abs, -1)\n"
        "    except concurrent.futures.BrokenExecutor as error:\n"
        "        texts.add(str(error))\n"
        "print(texts == {told})"
    )
    assert (ran.text, ran.error) == ("True\n", "")


CALLS = {
    "pool.map(work.die_at, range(20, 60))": "die_at(47)",
    "pool.map(work.die_at, range(20, 60), 7)": "die_at(47)",
    "pool.starmap(work.die_at, [(i, 'x') for i in range(48)])": "die_at(47, 'x')",
    "pool.apply(work.die_at, (47,))": "die_at(47)",
    "pool.apply_async(work.die_at, (47,)).get()": "die_at(47)",
    "pool.map_async(work.die_at, range(99)).get()": "die_at(47)",
    "list(pool.imap(work.die_at, range(99)))": "die_at(...)",
    "list(pool.imap(work.die_at, range(99), 5))": "die_at(...)",
    "list(pool.imap_unordered(work.die_at, range(99)))": "die_at(...)",
    # It is the last one, and all others are done.
    "list(pool.imap(work.die_at, [47]))": "die_at(...)",
    "list(pool.imap_unordered(work.die_at, [47]))": "die_at(...)",
}


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_raises_what_it_would_wait_for_for_ever(
    pool_kernel: PoolKernel, method: str
) -> None:
    pool_kernel.cell(f"pool = make('Pool', {method!r}, 3)\npool.map(abs, range(9))")
    for code, call in CALLS.items():
        ran = pool_kernel.cell(code)
        assert ran.took < 2, code
        last = ran.error.splitlines()[-1]
        assert "WorkerDied" in last
        assert f"was killed by SIGKILL while it ran {call}, 0." in last
        assert method == "forkserver" or "it had used up to" in last
        ran = pool_kernel.cell("print(pool.map(abs, [-1, -2, -3]))")
        assert (ran.text, ran.error) == ("[1, 2, 3]\n", "")


def test_an_item_that_is_a_sequence_is_one_argument(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "def die_at(name):\n    return work.die() if name == 'AS' else name\n"
        "make('Pool', 'fork').map(die_at, ['AA', 'AS', 'UA'])"
    )
    assert "while it ran die_at('AS'), 0." in ran.error.splitlines()[-1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("workers", [1, 3])
def test_a_pool_survives_the_death_of_an_idle_worker(
    pool_kernel: PoolKernel, method: str, workers: int
) -> None:
    ran = pool_kernel.cell(
        f"pool = make('Pool', {method!r}, {workers})\n"
        "pool.map(work.get_pid, range(9))\n"
        "workers = list(pool._pool)\n"
        "for process in workers: process.kill()\n"
        "for process in workers: process.join()\n"
        "print([x.get(10) for x in [pool.apply_async(abs, (-i,)) for i in (1, 2)]])"
    )
    assert (ran.text, ran.error) == ("[1, 2]\n", "")
    assert ran.took < 5


def test_the_exit_of_a_worker_is_told(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell("make('Pool', 'fork').map(sys.exit, [3, 3])")
    last = ran.error.splitlines()[-1]
    assert "ended with exit code 3 while it ran exit(3)" in last
    ran = pool_kernel.cell("make('executor', 'fork').submit(os._exit, 3).result()")
    last = ran.error.splitlines()[-1]
    assert "ended with exit code 3 while it ran _exit(3)" in last
    ran = pool_kernel.cell("make('loky', 'spawn').submit(os._exit, 3).result()")
    last = ran.error.splitlines()[-1]
    assert "ended with exit code 3 while it ran _exit(3)" in last
    # loky's own words.
    assert last.endswith("The exit codes of the workers are {EXIT(3)}.")


@pytest.mark.parametrize("method", METHODS)
def test_an_initializer_that_fails_is_told(
    pool_kernel: PoolKernel, method: str
) -> None:
    """
    A `multiprocessing.Pool` would start workers, and wait, for ever.
    """
    failing = (
        "def begin(one):\n    raise ValueError(f'not {one}')\n"
        f"context = multiprocessing.get_context({method!r})\n"
    )
    for made, run in {
        "concurrent.futures.ProcessPoolExecutor(2, context, begin, (7,))": (
            "submit(int)"
        ),
        "loky.ProcessPoolExecutor(2, initializer=begin, initargs=(7,))": "submit(int)",
        "context.Pool(2, begin, (7,))": "map(abs, range(9))",
    }.items():
        ran = pool_kernel.cell(f"{failing}pools.append({made})")
        assert not ran.error
        ran = pool_kernel.cell(f"result(pools[-1].{run})")
        last = ran.error.splitlines()[-1]
        assert "while it ran the initializer of its pool, which has failed" in last
        assert "Make a new pool." in last
        assert ran.took < 4


def test_a_map_begins_also_in_a_moment_without_workers(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "pool = make('Pool', 'fork', 2)\n"
        "workers, pool._pool = pool._pool, []\n"
        "task = pool.map_async(abs, range(20))\n"
        "pool._pool = workers\n"
        "print(task._chunksize, len(task.get(10)))"
    )
    # As Python itself: four chunks a worker.
    assert (ran.text, ran.error) == ("3 20\n", "")


def test_a_worker_that_is_killed_in_its_initializer_is_told(
    pool_kernel: PoolKernel,
) -> None:
    ran = pool_kernel.cell(
        "context = multiprocessing.get_context('fork')\n"
        "pool = concurrent.futures.ProcessPoolExecutor(2, context, work.die)\n"
        "pools.append(pool)\n"
        "pool.submit(int).result()"
    )
    assert "was killed by SIGKILL while it ran the initializer of its pool" in ran.error
    assert "has failed" not in ran.error


def test_a_worker_that_is_replaced_may_fail_to_start_once(
    pool_kernel: PoolKernel, tmp_path: Path
) -> None:
    ran = pool_kernel.cell(
        f"path = {str(tmp_path / 'bad')!r}\n"
        "begun = multiprocessing.get_context('fork').Semaphore(0)\n"
        "def begin():\n"
        "    if os.path.exists(path):\n"
        "        os.remove(path)\n"
        "        raise ValueError('once')\n"
        "    begun.release()\n"
        "pool = make('Pool', 'fork', 2, begin)\n"
        "assert begun.acquire(timeout=20) and begun.acquire(timeout=20)\n"
        "pool.map(abs, range(9))\n"
        "open(path, 'w').close()\n"
        "pool._pool[0].kill()\n"
        "while os.path.exists(path): threading.Event().wait(0.02)\n"
        "print(pool.map(abs, [-1, -2]))"
    )
    assert not ran.error
    assert "[1, 2]\n" in ran.text


def test_memory_is_told_under_the_fork_server_too(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "make('executor', 'forkserver').submit(work.die_fat, 200_000_000).result()"
    )
    size = ran.error.rpartition("it had used up to ")[2].split()
    assert float(size[0]) > 200
    assert size[1] == "MB."


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_joblib_says_it(pool_kernel: PoolKernel, backend: str) -> None:
    ran = pool_kernel.cell(
        f"joblib.Parallel(2, backend={backend!r})(\n"
        "    joblib.delayed(work.die_at)(i) for i in range(46, 49))"
    )
    last = ran.error.splitlines()[-1]
    assert "was killed by SIGKILL while it ran die_at(47)" in last
    assert ran.took < 4
    pool_kernel.cell(
        "joblib.externals.loky.get_reusable_executor().shutdown(kill_workers=True)"
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_result_whose_worker_died_while_it_was_sent_is_not_awaited(
    pool_kernel: PoolKernel, method: str
) -> None:
    pool_kernel.cell(f"pool = make('Pool', {method!r}, 3)\npool.map(abs, range(9))")
    for code, call in {
        "pool.apply(work.give_deadly, (47,))": "give_deadly(47)",
        "pool.map(work.give_deadly, range(44, 50), 1)": "give_deadly(47)",
        "list(pool.imap(work.give_deadly, range(49)))": "give_deadly(...)",
    }.items():
        ran = pool_kernel.cell(code)
        assert ran.took < 2, code
        last = ran.error.splitlines()[-1]
        assert f"was killed by SIGKILL while it sent the result of {call}" in last
        ran = pool_kernel.cell("print(pool.map(abs, [-1, -2, -3]))")
        assert (ran.text, ran.error) == ("[1, 2, 3]\n", "")


@pytest.mark.parametrize(("kind", "method"), EXECUTORS)
def test_an_executor_says_that_its_worker_died_while_it_sent_a_result(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    ran = pool_kernel.cell(
        f"pool = make({kind!r}, {method!r})\nresult(pool.submit(work.give_deadly, 47))"
    )
    last = ran.error.splitlines()[-1]
    assert "was killed by SIGKILL while it sent the result of give_deadly(47)" in last


def test_a_hostile_name_is_escaped_and_cut(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "def strange(x):\n    work.die()\n"
        "strange.__qualname__ = '\\x1b]0;x\\x07' * 1000\n"
        "make('Pool', 'fork').apply(strange, (strange,))"
    )
    last = ran.error.splitlines()[-1]
    assert "while it ran \\x1b]0;x\\x07" in last
    assert "\x1b" not in last
    assert len(last) < 1000


#: Let the pool notice the death of a task's worker before the notebook notes the task.
LATE = """
from duck_jupyter.pools.deaths import Deaths
note, hear, heard = Deaths.after_submit, Deaths._has_ended, threading.Event()

def hear_early(*words):
    hear(*words)
    heard.set()

def note_late(*words):
    assert heard.wait(10)
    note(*words)

Deaths.after_submit, Deaths._has_ended = note_late, hear_early
"""


def test_a_worker_that_dies_before_its_task_is_noted_is_told_too(
    pool_kernel: PoolKernel,
) -> None:
    pool_kernel.cell("pool = make('Pool', 'fork', 1)\npool.map(abs, range(9))" + LATE)
    ran = pool_kernel.cell("pool.apply_async(work.die_at, (47,)).get(20)")
    pool_kernel.cell("Deaths.after_submit, Deaths._has_ended = note, hear")
    last = ran.error.splitlines()[-1]
    assert "WorkerDied" in last
    assert "was killed by SIGKILL while it ran die_at(47), 0." in last
