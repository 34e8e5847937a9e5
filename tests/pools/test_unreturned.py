"""
Results that a worker cannot send: the error of the task says what, and what to do.
"""

from __future__ import annotations

import re

import pytest

from .kernels import METHODS, PoolKernel

pytestmark = pytest.mark.slow

POOLS = [
    *[(kind, x) for kind in ("executor", "Pool") for x in METHODS],
    ("loky", "spawn"),
]
GIVING = """
import tempfile
class Model:
    def __init__(self, i):
        self.steps = [i, threading.Lock() if i else None]
class Odd:
    def __reduce__(self):
        raise ArithmeticError('odd')
def give(kind):
    if kind == 'lock':
        return threading.Lock()
    if kind == 'file':
        return open(os.devnull, 'w')
    if kind == 'odd':
        return {'a': Odd()}
    if kind == 'thread':
        return [threading.current_thread()]
    return Model(1)
"""
BINDING = """
bound = 5
def bind(i):
    global bound
    class bound(Exception):
        pass
    if i:
        raise bound(i)
    return [bound]
"""
#: What is returned, and what is said of it.
SAID = {
    "lock": "because it is a lock. Make it in the notebook, share it, %share NAME, and",
    "file": "because it is a TextIOWrapper. Return its name or what it contains, and",
    "odd": "because its part ['a'] is a Odd. Return what it is made of, and make it",
    "thread": " Return what it is made of, and make it in the notebook; or keep it in",
    "model": "because its part .steps[1] is a lock. Return what it is made of, and",
}


@pytest.mark.parametrize(("kind", "method"), POOLS)
def test_what_cannot_be_sent_is_named_and_the_pool_goes_on(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    assert not pool_kernel.cell(f"{GIVING}\npool = make({kind!r}, {method!r})").error
    for given, said in SAID.items():
        line = f"result(submit(pool, give, {given!r}))"
        error = pool_kernel.cell(line).error
        assert f"----> 1 {line}" in error
        told = f"The result of give('{given}') cannot be sent to the notebook, "
        assert told in error
        assert said in error
        assert error.splitlines()[-1].startswith("In worker ")
        assert ("MaybeEncodingError" in error) == (kind == "Pool")
        assert "odd" in error or given != "odd"
        for hidden in ("duck_jupyter", "futures/", "multiprocessing/", "loky/"):
            assert hidden not in error, error
    ran = pool_kernel.cell("print(result(submit(pool, abs, -3)))")
    assert (ran.text, ran.error) == ("3\n", "")


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        ("executor", "list(pool.map(Model, [0, 0, 7, 0], chunksize=4))"),
        ("Pool", "pool.map(Model, [0, 0, 7, 0], 4)"),
        ("Pool", "list(pool.imap(Model, [7]))"),
        ("loky", "list(pool.map(Model, [0, 0, 7, 0], chunksize=4))"),
    ],
)
def test_the_item_of_a_map_is_named(
    pool_kernel: PoolKernel, kind: str, call: str
) -> None:
    ran = pool_kernel.cell(f"{GIVING}\npool = make({kind!r}, 'fork')\n{call}")
    assert "The result of Model(7) cannot be sent to the notebook, because" in ran.error
    assert "its part .steps[1] is a lock" in ran.error
    assert "In worker " in ran.error


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_joblib_says_it_too(pool_kernel: PoolKernel, backend: str) -> None:
    ran = pool_kernel.cell(
        f"{GIVING}\n"
        "tasks = [joblib.delayed(give)('lock')]\n"
        "try:\n"
        f"    joblib.Parallel(2, backend={backend!r})(tasks)\n"
        "finally:\n"
        "    pools.append(joblib.externals.loky.get_reusable_executor())"
    )
    assert "The result of give('lock') cannot be sent to the notebook, " in ran.error
    assert "its part [0] is a lock" in ran.error


@pytest.mark.parametrize("kind", ["executor", "Pool", "loky"])
def test_a_result_that_can_be_sent_the_second_time_is_no_more_than_its_error(
    pool_kernel: PoolKernel, kind: str
) -> None:
    ran = pool_kernel.cell(
        "class Once:\n"
        "    tries = 0\n"
        "    def __reduce__(self):\n"
        "        Once.tries += 1\n"
        "        if Once.tries == 1:\n"
        "            raise ArithmeticError('once')\n"
        "        return Once, ()\n"
        f"pool = make({kind!r}, 'fork')\n"
        "result(submit(pool, Once))"
    )
    assert "ArithmeticError" in ran.error
    assert "cannot be sent" not in ran.error
    assert "\nIn worker " in ran.error


@pytest.mark.parametrize("kind", ["executor", "Pool"])
def test_a_function_that_only_cloudpickle_sends_is_named(
    pool_kernel: PoolKernel, kind: str
) -> None:
    """
    The worker runs no function of a cell, and pickles as Python does.
    """
    ran = pool_kernel.cell(
        f"pool = make({kind!r}, 'spawn')\nresult(submit(pool, work.give_nested, 1))"
    )
    assert "because its part [0] needs give_nested.<locals>.nested" in ran.error
    assert "Define it in a cell, or in a module." in ran.error


@pytest.mark.parametrize(("kind", "method"), POOLS)
def test_a_class_that_only_the_worker_has_is_named(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    ran = pool_kernel.cell(
        "def define(i):\n"
        "    global Made\n"
        "    class Made(Exception):\n        pass\n"
        "    if i:\n"
        "        raise Made('text', i)\n"
        "    return Made()\n"
        f"pool = make({kind!r}, {method!r})\n"
        "result(submit(pool, define, 0))"
    )
    assert "the notebook does not have Made: a task has defined it" in ran.error
    ran = pool_kernel.cell("result(submit(pool, define, 1))")
    assert "raise Made('text', i)" in ran.error
    assert "\nRemoteError: Made: ('text', 1)\nIn worker " in ran.error
    ran = pool_kernel.cell("print(result(submit(pool, abs, -3)))")
    assert (ran.text, ran.error) == ("3\n", "")


@pytest.mark.parametrize(("kind", "method"), POOLS)
def test_what_the_notebook_cannot_rebuild_breaks_no_pool(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    """
    The task binds a name of the notebook to a class in its worker.
    """
    pool_kernel.cell(BINDING)
    ran = pool_kernel.cell(
        f"pool = make({kind!r}, {method!r})\nresult(submit(pool, bind, 7))"
    )
    assert "\nRemoteError: bound: 7\nIn worker " in ran.error
    ran = pool_kernel.cell("result(submit(pool, bind, 0))")
    assert "The result of bind(0) cannot be sent to the notebook, " in ran.error
    ran = pool_kernel.cell("print(result(submit(pool, abs, -3)))")
    assert (ran.text, ran.error) == ("3\n", "")


@pytest.mark.parametrize(("kind", "method"), POOLS)
def test_a_task_may_raise_what_an_interrupt_raises(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    ran = pool_kernel.cell(
        "def stop(i):\n    raise KeyboardInterrupt('enough')\n"
        f"pool = make({kind!r}, {method!r}, 1)\n"
        "pid = result(submit(pool, work.get_pid))\n"
        "result(submit(pool, stop, 3))"
    )
    assert "----> 2     raise KeyboardInterrupt('enough')" in ran.error
    assert re.search(
        r"\nKeyboardInterrupt: enough\nIn worker \d+: stop\(3\)", ran.error
    )
    ran = pool_kernel.cell("print(result(submit(pool, work.get_pid)) == pid)")
    assert (ran.text, ran.error) == ("True\n", "")
