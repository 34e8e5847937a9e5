"""
An error of a task looks as if the task had run in the notebook.
"""

from __future__ import annotations

import re

import pytest

from .kernels import METHODS, PoolKernel

pytestmark = pytest.mark.slow

FAILING = """
def parse(text):
    size = len(text)
    return int(text) + 1
def score(part, k=2):
    try:
        return parse(part)
    except ValueError as error:
        raise LookupError(f"no {part}") from error
"""
CALLS = [
    *[("executor", method, "list(pool.map(score, ['12x']))") for method in METHODS],
    *[("Pool", method, "pool.map(score, ['12x'])") for method in METHODS],
    ("executor", "spawn", "list(pool.map(score, ['1', '12x'], chunksize=2))"),
    ("executor", "spawn", "pool.submit(score, '12x').result()"),
    ("Pool", "spawn", "pool.starmap(score, [('1',), ('12x',)])"),
    ("Pool", "spawn", "pool.map(score, ['1'] * 30 + ['12x'], 31)"),
    ("Pool", "spawn", "pool.apply(score, ('12x',))"),
    ("Pool", "spawn", "list(pool.imap(score, ['12x']))"),
    ("loky", "spawn", "list(pool.map(score, ['12x']))"),
]
POOLS = [
    *[(kind, x) for kind in ("executor", "Pool") for x in METHODS],
    ("loky", "spawn"),
]


@pytest.mark.parametrize(("kind", "method", "call"), CALLS)
def test_it_shows_the_lines_of_the_cells_and_nothing_of_the_pool(
    pool_kernel: PoolKernel, kind: str, method: str, call: str
) -> None:
    assert not pool_kernel.cell(FAILING).error
    ran = pool_kernel.cell(f"pool = make({kind!r}, {method!r})\n{call}")
    check(ran.error, call)
    assert ran.error.count("In worker ") == 1
    assert "score('12x')" in ran.error
    folds = [x["text/html"] for x in ran.shown if "text/html" in x]
    (fold,) = [text for text in folds if "The whole traceback" in text]
    assert "concurrent/futures" in fold or "multiprocessing/pool.py" in fold


def check(error: str, call: str) -> None:
    """
    Check the traceback of the failing task.
    """
    assert error.splitlines()[0].startswith("-----")
    assert "ValueError: invalid literal for int() with base 10: '12x'" in error
    assert "LookupError: no 12x" in error
    assert f"----> 2 {call}" in error
    assert re.search(r"-> \d +return int\(text\) \+ 1", error), error
    assert 'raise LookupError(f"no {part}") from error' in error
    assert "in parse(text)" in error
    for hidden in ("duck_jupyter", "futures/", "multiprocessing/", "loky/"):
        assert hidden not in error, error
    assert len(error.splitlines()) <= 40


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_joblib_shows_the_same(pool_kernel: PoolKernel, backend: str) -> None:
    pool_kernel.cell(FAILING)
    call = f"joblib.Parallel(2, backend={backend!r})([joblib.delayed(score)('12x')])"
    ran = pool_kernel.cell(f"pass\n{call}")
    check(ran.error, call)
    pool_kernel.cell(
        "joblib.externals.loky.get_reusable_executor().shutdown(kill_workers=True)"
    )


def test_the_error_has_frames_for_debuggers(pool_kernel: PoolKernel) -> None:
    pool_kernel.cell(FAILING)
    pool_kernel.cell("make('executor', 'spawn').submit(score, '12x').result()")
    ran = pool_kernel.cell(
        "import traceback\n"
        "last = sys.last_value.__cause__.__traceback__\n"
        "while last.tb_next: last = last.tb_next\n"
        "print(last.tb_frame.f_code.co_name, last.tb_frame.f_locals)\n"
        "print(''.join(traceback.format_tb(last)))"
    )
    assert "parse {'text': '12x', 'size': 3}" in ran.text
    assert "return int(text) + 1" in ran.text


@pytest.mark.parametrize(("kind", "method"), POOLS)
def test_an_error_is_of_its_class_whatever_arguments_the_class_takes(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    """
    Plain pools call the class with the error's ``args``, and break or wait for ever.
    """
    ran = pool_kernel.cell(
        "class Bad(Exception):\n"
        "    def __init__(self, one, *, two):\n"
        "        super().__init__(f'{one} and {two}')\n"
        "        self.two = two\n"
        "def fail(i):\n"
        "    try:\n"
        "        raise Bad(0, two=i)\n"
        "    except Bad as first:\n"
        "        raise Bad(1, two=i) from first\n"
        f"pool = make({kind!r}, {method!r})\n"
        "try:\n"
        "    result(submit(pool, fail, 5))\n"
        "except Bad as error:\n"
        "    cause = error.__cause__\n"
        "    print(error, error.two, '|', cause, type(cause) is Bad)\n"
        "result(submit(pool, fail, 6))"
    )
    assert ran.text == "1 and 5 5 | 0 and 5 True\n", ran
    assert ran.error.count("raise Bad(1, two=i) from first") == 1
    assert "\nBad: 1 and 6\nIn worker " in ran.error
    assert "fail(6)" in ran.error


def test_an_error_that_cannot_be_rebuilt_is_a_text_and_breaks_nothing(
    pool_kernel: PoolKernel,
) -> None:
    pool_kernel.cell(
        "class Bad(Exception):\n"
        "    def __reduce__(self):\n"
        "        raise TypeError('no')\n"
        "def fail(i): raise Bad('1 and 2')"
    )
    for kind, method in [("executor", "fork"), ("Pool", "fork"), ("loky", "spawn")]:
        ran = pool_kernel.cell(
            f"pool = make({kind!r}, {method!r})\nresult(submit(pool, fail, 1))"
        )
        assert "RemoteError: " in ran.error
        assert "Bad: 1 and 2" in ran.error
        assert "def fail(i): raise Bad('1 and 2')" in ran.error
        ran = pool_kernel.cell("print(result(submit(pool, abs, -3)))")
        assert (ran.text, ran.error) == ("3\n", "")


def test_an_interrupt_shows_the_line_of_the_cell(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "pool = make('executor', 'fork')\nsubmit(pool, work.say_and_rest).result()",
        interrupt_at="at work",
    )
    assert "----> 2 submit(pool, work.say_and_rest).result()" in ran.error
    assert "interrupting.py" not in ran.error
    assert "_base.py" not in ran.error


def test_a_death_shows_the_line_of_the_cell(pool_kernel: PoolKernel) -> None:
    for kind in ("executor", "Pool"):
        ran = pool_kernel.cell(
            f"pool = make({kind!r}, 'fork')\npool.submit(work.die).result()"
            if kind == "executor"
            else f"pool = make({kind!r}, 'fork')\npool.apply(work.die)"
        )
        assert "----> 2 pool." in ran.error
        assert "multiprocessing" not in ran.error
        assert "_base.py" not in ran.error


LOSING = """
rows = [[1]]
get_ipython().run_line_magic("share", "rows")
def lose():
    shared.rows[0].append(2)
def refused():
    return shared.rows.push
"""


def test_a_refused_call_is_told_once(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "settings = {'a': 1}\n"
        "get_ipython().run_line_magic('share', 'settings --readonly')\n"
        "def change(): shared.settings['a'] = 2\n"
        "make('executor', 'fork').submit(change).result()"
    )
    assert ran.error.count("settings is shared read-only") == 1
    assert "RemoteTraceback" not in ran.error
    pool_kernel.cell("get_ipython().run_line_magic('duck', 'stop')")


@pytest.mark.parametrize("method", METHODS)
def test_an_error_of_a_proxy_ends_at_the_line_of_the_cell(
    pool_kernel: PoolKernel, method: str
) -> None:
    """
    The worker began before the cell ran, and yet it quotes a statement of the cell.
    """
    ran = pool_kernel.cell(f"pool = make('executor', {method!r})\npool.submit(abs, 1)")
    assert not ran.error
    assert not pool_kernel.cell(LOSING).error
    ran = pool_kernel.cell("pool.submit(lose).result()")
    assert "`shared.rows[0].append(2)` would change a copy of a list" in ran.error
    assert "Write `ref(shared.rows)[0].append(2)`" in ran.error
    assert "client/" not in ran.error
    ran = pool_kernel.cell("pool.submit(refused).result()")
    assert "AttributeError: 'list' object has no attribute 'push'" in ran.error
    assert "return shared.rows.push" in ran.error
    assert "client/" not in ran.error
    pool_kernel.cell("end(pool)\nget_ipython().run_line_magic('duck', 'stop')")


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "SystemExit"])
def test_what_is_no_exception_comes_back_through_joblib(
    pool_kernel: PoolKernel, backend: str, kind: str
) -> None:
    ran = pool_kernel.cell(
        f"def leave(i):\n    raise {kind}('left')\n"
        "try:\n"
        f"    joblib.Parallel(2, backend={backend!r})([joblib.delayed(leave)(1)])\n"
        f"except {kind} as error:\n"
        "    print(repr(error))\n"
        "pools.append(joblib.externals.loky.get_reusable_executor())"
    )
    assert (ran.text, ran.error) == (f"{kind}('left')\n", "")


@pytest.mark.parametrize(("kind", "method"), POOLS)
def test_a_task_that_fails_changes_no_name_of_its_worker(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    ran = pool_kernel.cell(
        "class Bad(Exception):\n"
        "    count = 0\n"
        "    def __init__(self, *, number):\n"
        "        self.number = number\n"
        "def fail(i):\n"
        "    Bad.count += 1\n"
        "    raise Bad(number=Bad.count)\n"
        f"pool = make({kind!r}, {method!r}, 1)\n"
        "numbers = []\n"
        "for i in range(20):\n"
        "    try:\n"
        "        result(submit(pool, fail, i))\n"
        "    except Bad as error:\n"
        "        numbers.append(error.number)\n"
        "print(numbers == list(range(1, 21)))"
    )
    assert (ran.text, ran.error) == ("True\n", "")


def test_the_first_error_of_a_kernel_is_of_its_class(own_folders: None) -> None:
    """
    A worker that numbered names by itself led the kernel to another one of its objects.
    """
    with PoolKernel() as kernel:
        ran = kernel.cell(
            "class Bad(Exception):\n"
            "    def __init__(self, one, *, two):\n"
            "        super().__init__(one, two)\n"
            "def fail(i):\n"
            "    raise Bad(i, two=2)\n"
            "pool = make('executor', 'spawn')\n"
            "try:\n"
            "    pool.submit(fail, 1).result()\n"
            "except Bad as error:\n"
            "    print(error.args)\n"
            "end(pools.pop())"
        )
        assert (ran.text, ran.error) == ("(1, 2)\n", "")
