"""
Progress under the cell: a line while a pool works, and a summary at the end.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .kernels import PoolKernel, Ran

pytestmark = pytest.mark.slow

#: So that the tests take less time.
SOONER = """
from duck_jupyter.pools import progress
progress.AFTER_S, progress.EVERY_S = 0.3, 0.1
"""
FUNCTION = "def score(i): return work.compute(0.05)\n"
BUSY = FUNCTION + "_ = list(pool.map(score, range(30)))\n"


@pytest.fixture(autouse=True, scope="module")
def prepared(shared_kernel: PoolKernel) -> None:
    ran = shared_kernel.cell(SOONER)
    assert not ran.error


@pytest.fixture
def setting(pool_kernel: PoolKernel) -> Iterator[PoolKernel]:
    yield pool_kernel
    pool_kernel.cell("%config DuckJupyter.progress = True")


def lines_of(ran: Ran) -> list[str]:
    """
    Give the lines that were shown one after the other, in one display.
    """
    # An error has a display of its own, for its frames.
    first = [data for data in ran.shown if data["text/plain"][0] in "●✓■✕"]
    assert len(first) == 1, ran
    shown = [*first, *ran.updates]
    assert all("text/html" in data for data in shown)
    return [data["text/plain"] for data in shown]


@pytest.mark.parametrize("kind", ["executor", "Pool", "loky"])
def test_a_line_becomes_a_summary(pool_kernel: PoolKernel, kind: str) -> None:
    ran = pool_kernel.cell(f"pool = make({kind!r}, 'fork')\n{BUSY}")
    first, *_, last = lines_of(ran)
    assert first.startswith("● score  ")
    assert "of 2 at work" in first
    assert last.startswith("✓ score  30 tasks in ")
    assert "computing " in last.splitlines()[1]


def test_a_cell_that_submits_one_task_after_the_other_is_not_done_in_between(
    pool_kernel: PoolKernel,
) -> None:
    ran = pool_kernel.cell(
        f"pool = make('executor', 'fork', 1)\n{FUNCTION}"
        "for i in range(8):\n"
        "    _ = pool.submit(score, i).result()\n"
        "    _ = work.compute(0.15)"
    )
    *before, last = lines_of(ran)
    assert before
    assert all(text.startswith("● score  ") for text in before)
    assert last.startswith("✓ score  8 tasks in ")


def test_joblib_has_a_line_too(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        f"{FUNCTION}each = joblib.delayed(score)\n"
        "_ = joblib.Parallel(2)(each(i) for i in range(30))\n"
        "joblib.externals.loky.get_reusable_executor().shutdown()"
    )
    assert lines_of(ran)[-1].startswith("✓ score  30 tasks in ")


def test_two_pools_have_a_line_each_and_the_one_that_ends_its_summary(
    pool_kernel: PoolKernel,
) -> None:
    ran = pool_kernel.cell(
        "first, second = make('executor', 'fork', 1), make('Pool', 'fork', 1)\n"
        f"{FUNCTION}def fit(i): return work.compute(0.05)\n"
        "more = second.map_async(fit, range(40), 1)\n"
        "_ = list(first.map(score, range(16)))\n"
        "_ = more.get(30)"
    )
    texts = lines_of(ran)
    assert any(
        [line[0] for line in text.splitlines() if not line.startswith(" ")]
        == ["●", "●"]
        for text in texts
    )
    last = [line for line in texts[-1].splitlines() if not line.startswith(" ")]
    assert [line.split("  ")[0].split()[0] for line in last] == ["✓", "✓"]
    assert {line.split()[1] for line in last} == {"score", "fit"}


def test_a_cell_that_raises_shows_what_was_done(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        f"pool = make('executor', 'fork')\n{FUNCTION}"
        "def flawed(i): return score(i) if i < 29 else 1 / 0\n"
        "list(pool.map(flawed, range(30)))"
    )
    assert "ZeroDivisionError" in ran.error
    last = lines_of(ran)[-1]
    assert last.startswith("✓ flawed  30 tasks in ")
    assert ", 1 failed" in last


@pytest.mark.parametrize("kind", ["executor", "Pool"])
def test_an_interrupted_cell_says_how_far_it_came(
    pool_kernel: PoolKernel, kind: str, tmp_path: Path
) -> None:
    ran = pool_kernel.cell(
        f"pool = make({kind!r}, 'fork')\n"
        "def long(i): return work.compute(0.1) if i < 8 else work.say_and_rest()\n"
        "list(pool.map(long, range(24)))",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    last = lines_of(ran)[-1]
    assert re.match(r"■ long  interrupted at \d of 24, after ", last)


def test_the_time_of_a_stopped_task_counts(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "from duck_jupyter import tasks\n"
        "pool = make('executor', 'fork', 1)\n"
        "def long(i):\n"
        "    work.compute(0.5)\n"
        "    work.say_and_rest()\n"
        "list(pool.map(long, range(3)))",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    ran = pool_kernel.cell(
        "run = tasks().runs[-1]\n"
        "print(run.function, run.spent.computing >= 0.5, run.last - run.first >= 0.5)"
    )
    assert ran.text == "long True True\n", ran


def test_a_broken_pool_says_who_was_killed(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        "pool = make('executor', 'fork', 1)\n"
        "def deadly(i): return work.compute(0.05) if i < 12 else work.die()\n"
        "list(pool.map(deadly, range(24)))"
    )
    last = lines_of(ran)[-1]
    assert last.startswith("✕ deadly  broke at 12 of 24, after ")
    assert "killed by SIGKILL, 12 tasks not done" in last


@pytest.mark.parametrize("kind", ["executor", "Pool", "loky"])
def test_a_task_that_a_pool_refuses_is_none(pool_kernel: PoolKernel, kind: str) -> None:
    ran = pool_kernel.cell(
        "from duck_jupyter import tasks\n"
        "def score(i): return work.die() if i < 0 else work.compute(0.05)\n"
        f"pool, count = make({kind!r}, 'fork'), tasks().run_count\n"
        "_ = list(pool.map(score, range(30)))\n"
        "try:\n    result(submit(pool, score, -1))\n"
        "except Exception: pass\n"
        "if hasattr(pool, 'close'): pool.close()\n"
        "def refused(i): return i\n"
        "caught = []\n"
        "for _ in range(3):\n"
        "    try:\n        submit(pool, refused, 1)\n"
        "    except Exception as error:\n        caught.append(error)\n"
        "found = tasks()\n"
        "print([x.function for x in found.runs][-1], found.run_count - count)\n"
        "print(len(caught))"
    )
    assert (ran.text, ran.error) == ("score 1\n3\n", "")
    last = lines_of(ran)[-1]
    assert last.startswith(
        ("✕ score  broke at 30 of 31", "■ score  stopped at 30 of 31")
    )
    ran = pool_kernel.cell(
        "try:\n    submit(pool, refused, 1)\nexcept Exception: work.compute(0.5)"
    )
    assert (ran.shown, ran.error) == ([], "")


def test_tasks_that_go_on_are_said_to(pool_kernel: PoolKernel) -> None:
    ran = pool_kernel.cell(
        f"pool = make('executor', 'fork', 1)\n{FUNCTION}"
        "more = [pool.submit(score, i) for i in range(60)]\n"
        "_ = more[14].result(20)"
    )
    assert [data["text/plain"] for data in ran.updates][-1].startswith(
        "■ score  goes on, "
    )
    pool_kernel.cell("for each in more: each.cancel()")


def test_a_short_cell_shows_nothing(pool_kernel: PoolKernel) -> None:
    pool_kernel.cell("progress.AFTER_S = 60")
    ran = pool_kernel.cell("pool = make('executor', 'fork')\nlist(pool.map(abs, [1]))")
    pool_kernel.cell(SOONER)
    assert (len(ran.shown), ran.updates) == (1, [])
    assert ran.shown[0]["text/plain"] == "[1]"
    ran = pool_kernel.cell(
        "print([x.name for x in threading.enumerate() if 'progress' in x.name])"
    )
    assert ran.text == "[]\n"


@pytest.mark.parametrize(
    ("before", "count"),
    [
        ("%config DuckJupyter.progress = False", 0),
        ("%config DuckJupyter.progress = 'summary'", 1),
        ("import tqdm\nbar = tqdm.tqdm(total=3, file=open(os.devnull, 'w'))", 1),
    ],
)
def test_less_can_be_shown(setting: PoolKernel, before: str, count: int) -> None:
    setting.cell("pool = make('executor', 'fork')\nlist(pool.map(abs, [1]))")
    ran = setting.cell(f"{before}\n{FUNCTION}_ = list(pool.map(score, range(20)))")
    assert not ran.error
    assert (len(ran.shown), ran.updates) == (count, [])
    assert all(data["text/plain"].startswith("✓ score") for data in ran.shown)
    setting.cell("if 'bar' in globals(): bar.close(); del bar")


CELLS = """
%load_ext duck_jupyter
from duck_jupyter.pools import progress
progress.AFTER_S, progress.EVERY_S = 0.3, 0.1
import multiprocessing
from tests.support import poolwork as work
pool = multiprocessing.get_context("fork").Pool(1)
_ = pool.map(work.compute, [0.05] * 20, 1)
pool.terminate(); pool.join()
exit
"""


def run_in_terminal(folder: Path, stderr: int) -> None:
    """
    Type the cells into IPython.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder)}
    subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--simple-prompt"],
        env=environment,
        input=CELLS.encode(),
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        check=True,
        timeout=60,
    )


def test_a_log_gets_the_summary_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        run_in_terminal(tmp_path, file.fileno())
    text = log.read_text("utf-8")
    assert text.count("✓ compute  20 tasks in ") == 1
    assert "●" not in text


def test_a_terminal_writes_the_line_anew(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    try:
        run_in_terminal(tmp_path, terminal)
        os.write(terminal, b"end")
        text = b""
        while not text.endswith(b"end"):
            text += os.read(controller, 1 << 16)
    finally:
        os.close(controller)
        os.close(terminal)
    shown = text.decode("utf-8")
    assert "● compute" in shown
    assert "\x1b[1F\x1b[J" in shown
    assert "✓ compute  20 tasks in " in shown
