"""
No worker is left when the kernel has ended, and none ends when the extension leaves.
"""

from __future__ import annotations

import json
import multiprocessing
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.pools.board import Board
from duck_jupyter.pools.slots import enter
from tests.support.processes import kill, wait_gone, wait_until

from .kernels import METHODS, PoolKernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duck_jupyter.pools.board import Key

pytestmark = pytest.mark.slow

KINDS = [(kind, method) for kind in ("executor", "Pool") for method in METHODS]


def kill_kernel(kernel: PoolKernel) -> None:
    kill(kernel.pid())


def shut_down(kernel: PoolKernel) -> None:
    kernel.end()


def restart(kernel: PoolKernel) -> None:
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=20)


#: How a kernel that can end its workers ends does not depend on the Python.
ENDS = [
    kill_kernel,
    pytest.param(shut_down, marks=pytest.mark.one_python),
    pytest.param(restart, marks=pytest.mark.one_python),
]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(("kind", "method"), [*KINDS, ("loky", "spawn")])
def test_no_worker_outlives_the_kernel(
    own_kernel: PoolKernel, tmp_path: Path, kind: str, method: str, end: object
) -> None:
    path = tmp_path / "begun"
    ran = own_kernel.cell(
        f"pool = make({kind!r}, {method!r}, 3)\n"
        "pids = set()\n"
        "while len(pids) < 2:\n"
        "    tasks = [submit(pool, work.get_pid) for _ in range(20)]\n"
        "    pids |= {result(task) for task in tasks}\n"
        f"tasks = [submit(pool, work.stubborn, {str(path)!r})]\n"
        "import json; print(json.dumps(list(pids)))"
    )
    assert not ran.error, ran.error
    assert wait_until(path.exists)
    pids = [*json.loads(ran.text), *map(int, path.read_text().split())]
    assert callable(end)
    end(own_kernel)
    for pid in pids:
        wait_gone(pid, 2.0)


@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_workers_outlive_the_extension(
    own_kernel: PoolKernel, tmp_path: Path, kind: str, method: str
) -> None:
    path = str(tmp_path / "go")
    ran = own_kernel.cell(
        f"pool = make({kind!r}, {method!r})\n"
        f"task = submit(pool, work.wait_for, {path!r})\n"
        "result(submit(pool, abs, -3))"
    )
    assert not ran.error, ran.error
    ran = own_kernel.cell(
        "%unload_ext duck_jupyter\n"
        f"open({path!r}, 'w').close()\n"
        "print(result(task), result(submit(pool, abs, -3)))\nend(pool)"
    )
    assert (ran.text, ran.error) == ("it went on 3\n", "")


def test_unloading_leaves_no_thread_and_no_file(own_kernel: PoolKernel) -> None:
    ran = own_kernel.cell(
        "%unload_ext duck_jupyter\n"
        "def files():\n"
        "    links = [f'/proc/self/fd/{x}' for x in os.listdir('/proc/self/fd')]\n"
        "    return sorted(os.readlink(x) for x in links if os.path.exists(x))\n"
        "before = files()\n"
        "%load_ext duck_jupyter\n"
        "pool = make('executor', 'fork')\n"
        "result(submit(pool, abs, -3))\n"
        "end(pool)\n"
        "del pool; pools.clear(); import gc; gc.collect()\n"
        "%unload_ext duck_jupyter\n"
        "print([x for x in files() if x not in before])\n"
        "print([x.name for x in threading.enumerate() if 'duck-' in x.name])\n"
        "print(signal.getsignal(signal.SIGINT).__module__)"
    )
    assert (ran.text, ran.error) == ("[]\n[]\n_signal\n", "")


def test_the_setting_turns_it_off_and_on(own_kernel: PoolKernel) -> None:
    ran = own_kernel.cell(
        "from concurrent.futures import ProcessPoolExecutor as pools\n"
        "%config DuckJupyter.pools = False\n"
        "print(pools.submit.__module__, pools.submit.__code__.co_filename)"
    )
    assert "duck_jupyter" not in ran.text
    ran = own_kernel.cell(
        "%config DuckJupyter.pools = True\nprint(pools.submit.__code__.co_filename)"
    )
    assert "duck_jupyter" in ran.text


@pytest.mark.parametrize(
    ("kind", "method"), [*[("executor", x) for x in METHODS], ("loky", "spawn")]
)
def test_an_executor_that_nobody_holds_ends_after_its_tasks(
    pool_kernel: PoolKernel, tmp_path: Path, kind: str, method: str
) -> None:
    path = str(tmp_path / "go")
    ran = pool_kernel.cell(
        f"pool = make({kind!r}, {method!r})\n"
        f"tasks = [submit(pool, work.wait_for, {path!r}) for _ in range(20)]\n"
        "workers = list(pool._processes.values())\n"
        "import gc, weakref\n"
        "reference = weakref.ref(pool)\n"
        "pools.clear()\n"
        "del pool\n"
        "end_at = time.monotonic() + 10\n"
        "while reference() is not None and time.monotonic() < end_at:\n"
        "    threading.Event().wait(0.01)\n"
        f"print(reference(), bool(open({path!r}, 'w').close()))\n"
        "print({result(task) for task in tasks})\n"
        "for worker in workers: worker.join(10)\n"
        # The pool's own thread waits for them too, and takes their exit codes.
        "print({os.path.exists(f'/proc/{worker.pid}') for worker in workers})"
    )
    assert not ran.error
    assert ran.text == "None False\n{'it went on'}\n{False}\n"


def test_arguments_may_have_any_name(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "def show(self, **words): return self, words\n"
        "pool = make('executor', 'spawn')\n"
        "print(pool.submit(show, self=1, fn=2, args=3, task=4).result())\n"
        "print(make('Pool', 'spawn').apply(show, (), {'self': 1, 'func': 2}))"
    )
    assert not ran.error
    assert ran.text == "(1, {'fn': 2, 'args': 3, 'task': 4})\n(1, {'func': 2})\n"


@contextmanager
def opened_board() -> Iterator[Board]:
    board = Board()
    try:
        yield board
    finally:
        board.close()


def exit_code(key: Key) -> int | None:
    """
    Let a process enter a board and end, and give how it ended.
    """
    process = multiprocessing.get_context("spawn").Process(target=enter, args=(key,))
    process.start()
    process.join(20)
    try:
        return process.exitcode
    finally:
        process.kill()
        process.join()
        process.close()


def test_a_worker_that_starts_when_its_kernel_has_ended_ends_too() -> None:
    ended = multiprocessing.get_context("spawn").Process()
    ended.start()
    ended.join()
    with opened_board() as board:
        assert exit_code(board.key) == 0
        assert exit_code(board.key._replace(pid=ended.pid or 0)) == 1
        key = board.key
    # The extension has left, and the kernel lives.
    assert exit_code(key) == 0
