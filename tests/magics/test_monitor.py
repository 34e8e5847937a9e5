"""
%duck monitor where widgets are shown, and wherever they are not.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.monitor.fronts import Front
from tests.support.processes import ROOT

from .kernels import Kernel

if TYPE_CHECKING:
    from pathlib import Path

    from .cells import Cells

DEADLINE_S = 45.0
VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_LIBRARIES = ("anywidget", "ipywidgets")
CELLS = ("%load_ext duck_jupyter\ncfg = {'a': 1}", "%share cfg", "%duck monitor")
LOADED = f"sorted({{*{WIDGET_LIBRARIES}}} & set(__import__('sys').modules))"


def show(kernel: Kernel) -> dict[str, Any]:
    """
    Run the magic as a person does, and give what is shown, by type.
    """
    front = Front(kernel)
    front.drain()
    key = front.begin("%duck monitor")
    shown = front.hear(lambda m: m["msg_type"] in ("execute_result", "error"))
    assert shown["msg_type"] == "execute_result", shown["content"]
    front.end(key)
    data: dict[str, Any] = shown["content"]["data"]
    return data


def check_table(data: dict[str, Any]) -> None:
    """
    Require the table, as text and as HTML, and nothing of a widget.
    """
    assert VIEW not in data
    assert data["text/plain"].startswith("Serving 1 object")
    assert "Monitor(" not in data["text/plain"]
    assert "<table" in data["text/html"]


def test_in_a_plain_shell_it_is_the_table(cells: Cells) -> None:
    cells.run("cfg = {'a': 1}\n%share cfg")
    assert repr(cells.run("%duck monitor")) == repr(cells.run("%duck status"))


def test_it_takes_no_option(cells: Cells) -> None:
    assert "--clean" in cells.mistake("%duck monitor --clean")


@pytest.mark.slow
def test_in_a_kernel_it_is_a_widget_loaded_only_then(kernel: Kernel) -> None:
    for cell in CELLS[:-1]:
        kernel.run(cell)
    assert kernel.value(LOADED) == []
    data = show(kernel)
    assert data[VIEW]["version_major"] == 2
    assert data["text/plain"].startswith("Serving 1 object")
    assert "<table" in data["text/html"]
    assert kernel.value(LOADED) == ["anywidget", "ipywidgets"]


@pytest.mark.slow
def test_until_somebody_looks_nothing_is_loaded_for_it(kernel: Kernel) -> None:
    kernel.run("import sys\nbefore = set(sys.modules)")
    kernel.run(CELLS[0])
    loaded = kernel.value("sorted(set(sys.modules) - before)")
    heavy = {"duck_jupyter.monitor.ticker", "duck_jupyter.monitor._widget", "anywidget"}
    assert not heavy & set(loaded)
    assert Front(kernel).ask("duck_snapshot")["status"] == "ok"
    assert kernel.value("'duck_jupyter.monitor.ticker' in sys.modules")


@pytest.mark.slow
def test_a_notebook_run_by_a_program_gets_the_table() -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in (*CELLS, "%duck stop")]
    )
    NotebookClient(notebook, timeout=DEADLINE_S, kernel_name="python3").execute()
    (output,) = notebook.cells[2].outputs
    check_table(output["data"])
    assert "widgets" not in notebook.metadata


@pytest.mark.slow
def test_in_a_terminal_it_is_the_table() -> None:
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor"]
    done = subprocess.run(
        [*command, "-c", "\n".join(CELLS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Serving 1 object" in done.stdout
    assert "cfg" in done.stdout
    assert "Monitor(" not in done.stdout
    assert "<table" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("library", WIDGET_LIBRARIES)
def test_where_a_widget_library_cannot_be_loaded_it_is_the_table(
    tmp_path: Path, library: str
) -> None:
    (tmp_path / f"{library}.py").write_text("raise ImportError('it is broken')\n")
    with Kernel(env={"PYTHONPATH": str(tmp_path)}) as kernel:
        for cell in CELLS[:-1]:
            kernel.run(cell)
        check_table(show(kernel))


@pytest.mark.slow
def test_where_there_is_no_widget_library_it_is_the_table(kernel: Kernel) -> None:
    kernel.run("import sys\nsys.modules['anywidget'] = None")
    for cell in CELLS[:-1]:
        kernel.run(cell)
    check_table(show(kernel))
