"""
What workers print and display appears under the cell that submitted the task.
"""

from __future__ import annotations

import re

import pytest

from .kernels import METHODS, PoolKernel

pytestmark = pytest.mark.slow

KINDS = [
    *[("executor", method) for method in METHODS],
    *[("Pool", method) for method in METHODS],
    ("loky", "spawn"),
]
SPEAK = """
class Rich:
    def _repr_html_(self): return "<b>rich</b>"
    def __repr__(self): return "plain"
def speak(i):
    import logging, warnings, sys
    print("printed", i)
    print("no newline", end="")
    warnings.warn(f"warned {i}")
    logging.getLogger("work").error("logged %s", i)
    display(Rich())
    return i
"""


@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_it_appears_under_the_cell(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    ran = pool_kernel.cell(SPEAK + f"pool = make({kind!r}, {method!r}, 1)")
    assert not ran.error, ran.error
    ran = pool_kernel.cell("result(submit(pool, speak, 5))")
    assert not ran.error, ran.error
    for text in ("printed 5\n", "no newline", "UserWarning: warned 5", "logged 5"):
        assert ran.text.count(text) == 1, ran.text
    assert "[worker" not in ran.text
    assert {"text/plain": "plain", "text/html": "<b>rich</b>"} in ran.shown


@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_it_goes_to_the_cell_that_submitted_and_not_to_one_that_runs(
    pool_kernel: PoolKernel, tmp_path: object, kind: str, method: str
) -> None:
    path = f"{tmp_path}/go"
    pool_kernel.cell(
        f"pool = make({kind!r}, {method!r}, 1)\nresult(submit(pool, abs, 1))"
    )
    pool_kernel.cell(f"task = submit(pool, work.say_after, {path!r})")
    ran = pool_kernel.cell(f"open({path!r}, 'w').close()\nresult(task)\nprint('mine')")
    assert (ran.text, ran.error) == ("mine\n", "")
    assert any("said after" in text for text in pool_kernel.elsewhere)
    pool_kernel.elsewhere.clear()


def test_workers_are_named_where_two_speak(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "pool = make('Pool', 'fork')\n"
        "pool.map(work.say_pid, range(20), 1)\n"
        "pool.map(work.say_pid, range(20), 1)"
    )
    lines = ran.text.splitlines()
    labelled = [re.fullmatch(r"\[worker (\d+)\] here is (\d+)", x) for x in lines[-20:]]
    assert all(found and found[1] == found[2] for found in labelled), ran.text


@pytest.mark.parametrize("method", METHODS)
def test_workers_log_as_the_notebook_does(own_kernel: PoolKernel, method: str) -> None:
    ran = own_kernel.cell(
        "logging.basicConfig(format='<%(levelname)s> %(message)s', level='INFO')\n"
        "def log(i):\n"
        "    logging.info('log %s', i); logging.debug('no')\n"
        f"pool = make('executor', {method!r}, 1)\n"
        "result(submit(pool, log, 1))\nend(pool)"
    )
    assert not ran.error, ran.error
    assert ran.text == "<INFO> log 1\n"


def test_much_of_it_is_complete(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "def much(i):\n"
        "    for n in range(2000): print(f'line {i} {n} ' + 'x' * 100)\n"
        "pool = make('executor', 'fork')\n"
        "list(pool.map(much, range(4)))"
    )
    assert not ran.error
    assert len(ran.text.splitlines()) == 8000
    found = set(re.findall(r"line \d+ \d+ x{100}\n", ran.text))
    assert len(found) == 8000


def test_a_worker_speaks_on_when_the_extension_has_left(own_kernel: PoolKernel) -> None:
    ran = own_kernel.cell(
        "pool = make('executor', 'spawn', 1)\n"
        "result(submit(pool, print, 'first'))\n"
        "%unload_ext duck_jupyter\n"
        "print(result(submit(pool, work.say_pid, 1)) is None)\nend(pool)"
    )
    assert not ran.error
    assert "first\n" in ran.text
    assert "True\n" in ran.text
