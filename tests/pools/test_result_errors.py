"""
Results that cannot be rebuilt in the notebook.
"""

from __future__ import annotations

import pytest

from .kernels import METHODS, PoolKernel

pytestmark = pytest.mark.slow

#: Results that only the process can rebuild that made them.
ODD = """
class Odd:
    def __init__(self, error, size):
        self.error, self.size, self.pid = error, size, os.getpid()
    def __reduce__(self):
        return rebuild, (self.error, self.pid, bytes(self.size))
def rebuild(error, pid, data):
    if pid != os.getpid():
        raise error
def give(i):
    return Odd(ValueError("not here"), 100_000 * i) if i > 4 else i
def give_without_file(i):
    return Odd(FileNotFoundError("no file"), 1)
"""


@pytest.mark.parametrize("method", METHODS)
def test_the_error_is_that_of_the_task_and_the_pool_goes_on(
    pool_kernel: PoolKernel, method: str
) -> None:
    assert not pool_kernel.cell(f"{ODD}\npool = make('Pool', {method!r})").error
    for call, text in {
        "pool.apply_async(give, (5,)).get(20)": "ValueError: not here",
        "pool.apply_async(give, (50,)).get(20)": "ValueError: not here",
        "pool.map_async(give, range(9), 1).get(20)": "ValueError: not here",
        "pool.apply_async(give_without_file, (1,)).get(20)": "no file",
    }.items():
        ran = pool_kernel.cell(call)
        last = ran.error.splitlines()[-1]
        assert last.startswith("DataDecodeError: The result of a task could not be")
        assert last.endswith(text)
        ran = pool_kernel.cell("print(pool.map_async(give, range(3)).get(20))")
        assert (ran.text, ran.error) == ("[0, 1, 2]\n", "")


def test_other_items_of_the_same_iterator_arrive(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        f"{ODD}\npool = make('Pool', 'spawn')\n"
        "items, found = pool.imap(give, [1, 5, 2]), []\n"
        "for _ in range(3):\n"
        "    try:\n"
        "        found.append(items.next(20))\n"
        "    except Exception as error:\n"
        "        found.append(type(error).__name__)\n"
        "print(found)"
    )
    assert (ran.text, ran.error) == ("[1, 'DataDecodeError', 2]\n", "")


def test_a_pool_of_threads_is_left_alone(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "import multiprocessing.pool\n"
        "with multiprocessing.pool.ThreadPool(2) as threads:\n"
        "    print(threads.map(abs, [-1, -2]))"
    )
    assert (ran.text, ran.error) == ("[1, 2]\n", "")
