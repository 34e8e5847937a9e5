"""
What README.md shows is what a newcomer gets.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from duck_jupyter.magics.options import help_of
from duck_jupyter.magics.share import DuckMagics
from tests.support.processes import run_python

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BENCHMARKS = (ROOT / "docs/benchmarks.md").read_text()
CELL_S = 40
FLAGS = re.DOTALL | re.MULTILINE
SHOW_TABLE = "print(repr(get_ipython().run_line_magic('share', '')))"


def indented_blocks() -> list[str]:
    """
    Give the results that README shows, without their indentation.
    """
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", README, re.MULTILINE)
    return ["\n".join(line[4:] for line in b.strip("\n").split("\n")) for b in blocks]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_first_cell_gives_the_result_that_is_shown() -> None:
    cell = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    NotebookClient(notebook, timeout=CELL_S, kernel_name="python3").execute()
    (value,) = (
        o for o in notebook.cells[0].outputs if o.output_type == "execute_result"
    )
    assert value["data"]["text/plain"] in indented_blocks()


def test_no_cell_writes_a_module() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("notebooks/*")]
    texts = [path.read_text(encoding="utf-8") for path in documents if path.is_file()]
    assert len(texts) > 8
    for text in texts:
        assert not re.search(r"%%writefile|write_text|sys\.path", text)


@pytest.mark.slow
def test_the_three_cells_give_the_result_that_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    So does the table below them, but for what depends on which worker was quicker.
    """
    cells = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[1:4]
    sources = [*(cell.strip() for cell in cells), SHOW_TABLE]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources]
    )
    monkeypatch.chdir(tmp_path)
    NotebookClient(notebook, timeout=CELL_S, kernel_name="python3").execute()
    answer, _, result, table = notebook.cells
    shown = indented_blocks()
    for cell in (answer, result):
        (value,) = [o["data"]["text/plain"] for o in cell.outputs if "data" in o]
        assert value in shown
    printed = table.outputs[0]["text"].split("\n")
    as_shown = next(block for block in shown if "Buffer fill" in block).split("\n")
    assert printed[0] == as_shown[0]
    assert printed[2].split() == as_shown[2].split()
    assert printed[4].startswith("results  dict  4 keys      0  live        0     3")


@pytest.mark.slow
def test_the_cells_on_data_give_the_result_that_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = re.search(r"^## Data without copies\n(.*?)^## ", README, FLAGS)
    assert found is not None
    cells = re.findall(r"```python\n(.*?)```", found[1], re.DOTALL)
    sources = ["%load_ext duck_jupyter", *(cell.strip() for cell in cells)]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources]
    )
    monkeypatch.chdir(tmp_path)
    NotebookClient(notebook, timeout=CELL_S, kernel_name="python3").execute()
    (value,) = (o for o in notebook.cells[-1].outputs if "data" in o)
    assert f"\n    {value['data']['text/plain']}\n" in found[1]


@pytest.mark.slow
def test_the_script_is_complete_and_prints_what_is_shown(tmp_path: Path) -> None:
    found = re.search(
        r"<!-- script -->\n```python\n(.*?)```\n\n    (.*?)\n", README, FLAGS
    )
    assert found is not None
    script = tmp_path / "script.py"
    script.write_text(found[1])
    command = [sys.executable, str(script)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=CELL_S, check=False, cwd=ROOT
    )
    assert (done.stdout, done.stderr, done.returncode) == (f"{found[2]}\n", "", 0)


def test_the_cell_that_shows_who_waits_can_be_typed() -> None:
    (cell,) = re.findall(r"```python\n([^`]*statistics\(\)\.waits\n)```", README)
    shown = cell.replace("statistics().waits", "print(statistics().waits)")
    done = run_python(f"import duck_jupyter\nduck_jupyter.share([], 'x')\n{shown}")
    assert (done.stdout, done.stderr, done.returncode) == ("()\n", "", 0)


def test_the_options_are_those_of_the_magics() -> None:
    found = re.search(r"<!-- magics -->\n```text\n(.*?)```", README, FLAGS)
    assert found is not None
    magics = (DuckMagics.share, DuckMagics.unshare, DuckMagics.duck)
    assert found[1] == "\n\n".join(map(help_of, magics)) + "\n"


def test_the_figures_are_rows_of_the_benchmarks() -> None:
    found = re.search(r"<!-- figures -->\n((?:\|.*\n)+)", README)
    assert found is not None
    _, _, *rows = found[1].splitlines()
    printed = [re.split(r"\s{2,}", line)[:4] for line in BENCHMARKS.splitlines()]
    assert len(rows) == 5
    for row in rows:
        assert row.strip("| ").split(" | ") in printed


def test_the_commands_are_single_lines_and_marked_for_ci() -> None:
    """
    `.ci/run` takes them from here.
    """
    for marker in ("test command", "main job command"):
        found = re.search(f"<!-- {marker} -->\n```bash\n(.*?)\n```", README, re.DOTALL)
        assert found is not None
        assert "\n" not in found[1]
