"""
An Interrupt ends the tasks of its cell, and no others.
"""

from __future__ import annotations

import multiprocessing
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import TaskInterrupted
from duck_jupyter.pools.board import Board
from duck_jupyter.pools.healing import remove_worker
from tests.support.processes import wait_until

from .kernels import METHODS, PoolKernel

if TYPE_CHECKING:
    from pathlib import Path

    from duck_jupyter.pools.board import Entry, Key

pytestmark = pytest.mark.slow

KINDS = [
    *[("executor", method) for method in METHODS],
    *[("Pool", method) for method in METHODS],
    ("loky", "spawn"),
]

#: Waits until so many tasks have begun, then for them.
WAIT = """
while not (os.path.exists({path!r}) and len(open({path!r}).readlines()) >= {number}):
    threading.Event().wait(0.02)
print("at work", flush=True)
"""

#: Waits until what an Interrupt has stopped is told.
AWAIT_STOP = """
from duck_jupyter.pools import features, interrupting
for feature in features.features.all:
    if isinstance(feature, interrupting.Interrupts):
        assert feature._last_stop.done.wait(20)
"""


def test_it_says_how_many_tasks_of_a_map_are_cancelled(
    pool_kernel: PoolKernel, tmp_path: Path
) -> None:
    """
    The map cancels its tasks itself when it is interrupted, at the same time.
    """
    path = str(tmp_path / "begun")
    ran = pool_kernel.cell(
        "pool = make('executor', 'fork')\n"
        f"tasks = pool.map(work.rest, [{path!r}] * 50)\n"
        + WAIT.format(path=path, number=2)
        + "list(tasks)",
        interrupt_at="at work",
    )
    told = "Interrupt stopped 2 running tasks, cancelled 48 queued tasks of this cell."
    assert told in ran.text


@pytest.mark.parametrize(("kind", "method"), KINDS)
@pytest.mark.parametrize("task", ["rest", "spin"])
def test_tasks_of_the_cell_end_and_those_of_others_go_on(
    pool_kernel: PoolKernel, tmp_path: Path, kind: str, method: str, task: str
) -> None:
    path = str(tmp_path / "begun")
    ran = pool_kernel.cell(
        f"pool = make({kind!r}, {method!r}, 3)\n"
        f"other = submit(pool, work.wait_for, {path + '.go'!r})\n"
        "pids = set()\n"
        "while len(pids) < 2:\n"
        "    tasks = [submit(pool, work.get_pid) for _ in range(20)]\n"
        "    pids |= {result(task) for task in tasks}"
    )
    assert not ran.error, ran.error
    ran = pool_kernel.cell(
        f"tasks = [submit(pool, work.{task}, {path!r}) for _ in range(50)]\n"
        + WAIT.format(path=path, number=2)
        + "result(tasks[0])",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    assert ran.took < 2
    told = "Interrupt stopped 2 running tasks"
    # A `multiprocessing.Pool` does not say which of its tasks are queued.
    told += "" if kind == "Pool" else ", cancelled 48 queued tasks"
    assert f"{told} of this cell." in ran.text
    ran = pool_kernel.cell("print(result(submit(pool, work.get_pid)) in pids)")
    assert (ran.text, ran.error) == ("True\n", "")
    assert ran.took < 2
    ran = pool_kernel.cell(f"open({path + '.go'!r}, 'w').close()\nprint(result(other))")
    assert (ran.text, ran.error) == ("it went on\n", "")


HOW = {
    "the button": lambda kernel: kernel.manager.interrupt_kernel,
    "the kernel alone": lambda kernel: kernel.signal,
    "a message": lambda kernel: kernel.request_interrupt,
}


#: However it comes, the kernel gets one SIGINT; this does not depend on the Python.
HOWS = [
    "the button",
    pytest.param("the kernel alone", marks=pytest.mark.one_python),
    pytest.param("a message", marks=pytest.mark.one_python),
]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_tasks_that_ignore_it_are_killed_and_the_pool_goes_on(
    pool_kernel: PoolKernel, tmp_path: Path, kind: str, method: str, how: str
) -> None:
    path, before = str(tmp_path / "begun"), len(pool_kernel.elsewhere)
    ran = pool_kernel.cell(
        f"pool = make({kind!r}, {method!r})\n"
        f"tasks = [submit(pool, work.stubborn, {path!r}) for _ in range(9)]\n"
        + WAIT.format(path=path, number=2)
        + "result(tasks[0])",
        interrupt_at="at work",
        interrupt=HOW[how](pool_kernel),
    )
    assert "KeyboardInterrupt" in ran.error
    assert ran.took < 2
    ran = pool_kernel.cell("print(result(submit(pool, abs, -3)))")
    assert (ran.text, ran.error) == ("3\n", "")
    assert ran.took < 3
    assert not pool_kernel.cell(AWAIT_STOP).error
    told = "Interrupt killed 2 workers"
    told += "" if kind == "Pool" else ", cancelled 7 queued tasks"
    assert pool_kernel.elsewhere[before:] == [f"{told} of this cell.\n"]


@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_idle_workers_survive_it(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    pool_kernel.cell(
        f"pool = make({kind!r}, {method!r}, 1)\n"
        "pid = result(submit(pool, work.get_pid))"
    )
    ran = pool_kernel.cell(
        "print('at work', flush=True)\nthreading.Event().wait(20)",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    pool_kernel.manager.interrupt_kernel()
    ran = pool_kernel.cell("print(result(submit(pool, work.get_pid)) == pid)")
    assert (ran.text, ran.error) == ("True\n", "")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("task", ["rest", "stubborn"])
def test_a_with_block_is_left_at_once(
    pool_kernel: PoolKernel, tmp_path: Path, method: str, task: str
) -> None:
    path = str(tmp_path / "begun")
    ran = pool_kernel.cell(
        f"with make('executor', {method!r}) as pool:\n"
        f"    tasks = [submit(pool, work.{task}, {path!r}) for _ in range(99)]\n"
        + textwrap.indent(WAIT.format(path=path, number=2), "    ")
        + "    result(tasks[0])",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    assert ran.took < 2


def test_a_cell_that_catches_it_can_submit_again(
    pool_kernel: PoolKernel, tmp_path: Path
) -> None:
    path = str(tmp_path / "begun")
    ran = pool_kernel.cell(
        "pool = make('executor', 'fork')\n"
        f"task = submit(pool, work.rest, {path!r})\n"
        "try:\n"
        + textwrap.indent(WAIT.format(path=path, number=1), "    ")
        + "    result(task)\n"
        "except KeyboardInterrupt:\n"
        "    print(result(submit(pool, abs, -3)))",
        interrupt_at="at work",
    )
    assert not ran.error
    assert "3\n" in ran.text


#: The thread of a process that gets a signal is the system's choice.
TO_A_THREAD = (
    "send = lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT)\n"
    "threading.Timer(0.3, send).start()\n"
)


@pytest.mark.parametrize("how", ["the button", "to a thread"])
def test_a_cell_that_awaits_anything_is_interrupted_at_once(
    pool_kernel: PoolKernel, how: str
) -> None:
    # Else only when the next message comes: nothing wakes ipykernel's loop.
    is_by_thread = how == "to a thread"
    pool_kernel.cell("make('executor', 'fork').submit(abs, -1).result()")
    ran = pool_kernel.cell(
        f"import asyncio\n{TO_A_THREAD if is_by_thread else ''}"
        "print('at work', flush=True)\nawait asyncio.sleep(60)",
        interrupt_at="" if is_by_thread else "at work",
    )
    assert "CancelledError" in ran.error or "KeyboardInterrupt" in ran.error
    assert ran.took < 2


class LateBoard(Board):
    """
    A board whose worker ends, by another hand, after it was looked up.
    """

    process: Any = None

    def last(self, pid: int) -> Entry | None:
        found = super().last(pid)
        self.process.kill()
        self.process.join()
        return found


def begin_and_wait(key: Key) -> None:
    board = Board(key)
    assert board.claim()
    board.begin(7, 1)
    threading.Event().wait(60)


def test_a_worker_that_ends_just_before_it_is_killed_is_no_error() -> None:
    board = LateBoard()
    board.process = multiprocessing.get_context("spawn").Process(
        target=begin_and_wait, args=(board.key,)
    )
    board.process.start()
    assert wait_until(lambda: bool(board.running()), 20)
    (entry,) = board.running()
    assert not remove_worker(board, entry, None, TaskInterrupted("it was interrupted"))
    board.close_output()
    board.close()


def test_an_interrupt_that_comes_to_another_thread_ends_a_wait(
    pool_kernel: PoolKernel,
) -> None:
    """
    The main thread is in the midst of its wait, which the signal does not end.
    """
    pool_kernel.cell("make('executor', 'fork').submit(abs, -1).result()")
    for _ in range(3):
        ran = pool_kernel.cell(
            "def press():\n"
            "    while not sys._current_frames()[main].f_code.co_name == 'wait': pass\n"
            "    signal.pthread_kill(threading.get_ident(), signal.SIGINT)\n"
            "main = threading.main_thread().ident\n"
            "presser = threading.Thread(target=press)\n"
            "presser.start()\n"
            "threading.Event().wait(20)"
        )
        assert "KeyboardInterrupt" in ran.error
        assert ran.took < 2
    ran = pool_kernel.cell("presser.join()\nprint(threading.Event().wait(0.7))")
    # No later wait is disturbed.
    assert (ran.text, ran.error) == ("False\n", "")


def test_a_cell_that_awaits_is_interrupted_too(
    pool_kernel: PoolKernel, tmp_path: Path
) -> None:
    path = str(tmp_path / "begun")
    ran = pool_kernel.cell(
        "import asyncio\n"
        "pool = make('executor', 'spawn')\n"
        "loop = asyncio.get_running_loop()\n"
        f"task = loop.run_in_executor(pool, work.rest, {path!r})\n"
        + WAIT.format(path=path, number=1)
        + "await task",
        interrupt_at="at work",
    )
    assert "CancelledError" in ran.error or "KeyboardInterrupt" in ran.error
    assert ran.took < 2
    ran = pool_kernel.cell("print(result(submit(pool, abs, -3)))")
    assert (ran.text, ran.error) == ("3\n", "")


def test_tasks_of_a_thread_go_on(pool_kernel: PoolKernel, tmp_path: Path) -> None:
    path = str(tmp_path / "begun")
    ran = pool_kernel.cell(
        "pool = make('executor', 'fork')\n"
        "def in_thread():\n"
        f"    threaded.append(submit(pool, work.wait_for, {path + '.go'!r}))\n"
        "threaded = []\n"
        "thread = threading.Thread(target=in_thread)\n"
        "thread.start()\n"
        "thread.join()\n"
        f"task = submit(pool, work.rest, {path!r})\n"
        + WAIT.format(path=path, number=1)
        + "result(task)",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    ran = pool_kernel.cell(
        f"open({path + '.go'!r}, 'w').close()\nprint(result(threaded[0]))"
    )
    assert (ran.text, ran.error) == ("it went on\n", "")


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_joblib_is_interrupted_and_goes_on(
    pool_kernel: PoolKernel, tmp_path: Path, backend: str
) -> None:
    path = str(tmp_path / "begun")
    ran = pool_kernel.cell(
        "print('at work', flush=True)\n"
        f"joblib.Parallel(2, backend={backend!r})(\n"
        f"    joblib.delayed(work.rest)({path!r}) for _ in range(50))",
        interrupt=lambda: (
            wait_until((tmp_path / "begun").exists, 20),
            pool_kernel.manager.interrupt_kernel(),
        ),
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    ran = pool_kernel.cell(
        f"calls = [joblib.delayed(abs)(-i) for i in range(9)]\n"
        f"print(sum(joblib.Parallel(2, backend={backend!r})(calls)))"
    )
    assert (ran.text, ran.error) == ("36\n", "")
    pool_kernel.cell("loky.get_reusable_executor().shutdown(kill_workers=True)")
    pool_kernel.cell(
        "joblib.externals.loky.get_reusable_executor().shutdown(kill_workers=True)"
    )


@pytest.mark.parametrize("name", ["imap", "imap_unordered"])
@pytest.mark.parametrize("chunksize", [1, 5])
def test_an_endless_iterable_is_left_and_the_pool_takes_the_next_task(
    pool_kernel: PoolKernel, name: str, chunksize: int
) -> None:
    ran = pool_kernel.cell(
        "import itertools\n"
        "left = threading.Event()\n"
        "def numbers():\n"
        "    try:\n"
        "        yield from itertools.count()\n"
        "    finally:\n"
        "        left.set()\n"
        "pool = make('Pool', 'fork')\n"
        f"for found in pool.{name}(abs, numbers(), {chunksize}):\n"
        "    if found == 20: print('at work', flush=True)",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    ran = pool_kernel.cell("print(result(submit(pool, abs, -1)), left.wait(5))")
    assert (ran.text, ran.error) == ("1 True\n", "")


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupt_while_a_pool_is_made_leaves_no_worker(
    pool_kernel: PoolKernel, method: str
) -> None:
    ran = pool_kernel.cell(
        "import multiprocessing.util, psutil\n"
        "def workers():\n"
        "    return {*psutil.Process().children(recursive=True)}\n"
        "before, added, debug = workers(), [], multiprocessing.util.debug\n"
        "def interrupt_at_second(words, *more):\n"
        "    if words == 'added worker':\n"
        "        added.append(workers() - before)\n"
        "        if len(added) == 2: signal.raise_signal(signal.SIGINT)\n"
        "multiprocessing.util.debug = interrupt_at_second\n"
        "try:\n"
        f"    multiprocessing.get_context({method!r}).Pool(4)\n"
        "finally:\n"
        "    multiprocessing.util.debug = debug"
    )
    assert "KeyboardInterrupt" in ran.error
    ran = pool_kernel.cell(
        "psutil.wait_procs(added[1], 20)\n"
        "print(len(added) >= 2, len(added[1]), workers() - before)\n"
    )
    assert (ran.text, ran.error) == ("True 2 set()\n", "")
