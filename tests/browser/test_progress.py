"""
The lines of progress under a cell, in what is saved, reloaded and converted.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import nbformat
from playwright.sync_api import expect

from .cells import LOAD, compute_until, in_pool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .notebook import Gate, Notebook

    Make = Callable[..., Notebook]
    MakeGate = Callable[[], Gate]

#: What is shown while a pool works, and at the end.
RUNNING = re.compile("●|at work|<progress")
ENDED = re.compile(r"5,000(</b>)? tasks in")
CELL_S = 60
#: So that the pool need not work for long.
SOONER = """
from duck_jupyter.pools import progress
progress.AFTER_S, progress.EVERY_S = 0.3, 0.1
"""


def convert(path: Path, *options: str) -> str:
    """
    Run nbconvert on a notebook, and give what it prints.
    """
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", *options, path],
        check=True,
        timeout=CELL_S,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return done.stdout


def check_saved(path: Path) -> None:
    """
    The file has the summary, once as text and once as HTML, and nothing else.
    """
    (output,) = nbformat.read(path, as_version=4).cells[1].outputs
    assert set(output.data) == {"text/plain", "text/html"}
    for text in output.data.values():
        assert ENDED.search(text)
        assert not RUNNING.search(text)


def check_converted(path: Path) -> None:
    """
    What nbconvert makes of the file has the summary, and nothing else.
    """
    for name in ("html", "markdown"):
        text = convert(path, "--to", name, "--stdout")
        shown = text.partition("duck-progress")[2] or text
        assert ENDED.search(shown)
        assert not RUNNING.search(shown)


def test_the_summary_is_what_is_saved_reloaded_and_converted(
    notebook: Make, gate: MakeGate
) -> None:
    until = gate()
    opened = notebook(LOAD, compute_until(until))
    opened.run(0)
    opened.begin(1)
    progress = opened.cell(1).locator(".duck-progress")
    expect(progress.locator("progress")).to_have_attribute("max", "5000")
    expect(progress).to_contain_text("at work")
    until.open()
    opened.end(1)
    expect(progress).to_contain_text(ENDED)
    opened.save()
    check_saved(opened.path)
    check_converted(opened.path)
    opened.page.reload()
    expect(progress).to_contain_text(ENDED)
    expect(progress.locator("progress")).to_have_count(0)


def test_a_program_that_runs_the_notebook_keeps_the_summary(tmp_path: Path) -> None:
    code = "def score(number):\n    return sum(range(30_000))"
    cells = [LOAD + SOONER, code + in_pool("score")]
    path = tmp_path / "run.ipynb"
    made = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    nbformat.write(made, path)
    convert(path, "--to", "notebook", "--inplace", "--execute")
    check_saved(path)
    check_converted(path)
