"""
Every notebook runs from top to bottom in a kernel of its own, and says what it should.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.magics.cells import uncoloured

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
#: A cell that takes a minute is a cell that hangs.
CELL_S = 60


def run(name: str) -> str:
    """
    Run a notebook.

    Returns:
        All text that its cells have put out, that of errors included.
    """
    notebook = nbformat.reads((NOTEBOOKS / name).read_text(), as_version=4)
    NotebookClient(notebook, timeout=CELL_S, kernel_name="python3").execute()
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            texts.append(output.get("text", ""))
            texts.append(output.get("data", {}).get("text/plain", ""))
            texts.append(uncoloured("\n".join(output.get("traceback", []))))
    return "\n".join(texts)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_first_notebook_agrees_with_its_serial_run(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Workers fill a dict, a bar and a database; and a chain is cut with advice.
    """
    monkeypatch.setenv("START_METHOD", method)
    output = run("01_share.ipynb")
    assert f"workers are started by {method}" in output
    assert "336,776 flights of 12 months" in output
    assert "The same as the serial run: 12 months, 240 late flights" in output
    assert "would be a proxy of level 8, and the limit is 7" in output
    assert "United's worst seven flights in a row: 284 minutes" in output


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_the_second_notebook_gives_the_same_in_every_way(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A bootstrap three ways; a worker's own copy, changes, and memory for all.
    """
    monkeypatch.setenv("START_METHOD", method)
    output = run("02_data.ipynb")
    assert "336,776 flights" in output
    assert f"workers are started by {method}" in output
    assert "All six runs agree" in output
    assert re.search(r"%share +\d+\.\d +\d+\.\d +\d+\.\d +\d+\.\d", output)
    assert "66.9 minutes there, 6.9 minutes here" in output
    assert "4,983 miles before, 12,000 miles after" in output
    assert "ms a task" in output
    assert "[ 0.  1.  4.  9. 16. 25. 36. 49.]" in output
    assert re.search(r"^squares +ndarray .* inplace ", output, re.MULTILINE)
    assert "140 is the sum of the squares" in output


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_third_notebook_goes_on_after_its_worker_was_killed(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A cache is hammered, a buffer overflows, a chain is cut; and no widget is printed.
    """
    monkeypatch.setenv("START_METHOD", method)
    output = run("03_monitor.ipynb")
    assert f"workers are started by {method}" in output
    assert "nothing is shared. To share a variable: %share NAME" in output
    assert "Monitor(" not in output
    assert "12.3 million miles over 202 routes, as the data says" in output
    assert "12 lists of 320 flights" in output
    assert "would be a proxy of level 8, and the limit is 7" in output
    assert re.search(r"BrokenProcessPool: \d+ of 12 months are left to do", output)
    assert "12.3 million miles again" in output
    assert re.search(r"^lists +dict +12 .* of 8 KB, \d+ larger", output, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_the_fourth_notebook_goes_on_after_each_of_its_errors(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A function anew, an Interrupt, a task that fails, and two workers that are killed.
    """
    monkeypatch.setenv("START_METHOD", method)
    output = run("04_cells.ipynb")
    assert f"336,776 flights, workers are started by {method}" in output
    assert "HA: 13% of 342 flights were late" in output
    # A cell that takes more than two seconds shows its progress between the two.
    before, after = "late=12592)", "6.8% of UA's flights were over 60 late"
    first = re.escape(f"Punctuality(carrier='UA', flights=57782, {before}")
    assert re.search(rf"{first}\n\s*{after}", output)
    assert "---> 17 list(pool.map(search, carriers))\n" in output
    assert "KeyboardInterrupt: " in output
    assert re.search(r"Interrupt stopped [12] running tasks?.* of this cell", output)
    assert "6.5% of AA's flights were over 60 late" in output
    assert "\nCell In[6], line 3, in share_of_late(carrier)\n" in output
    assert re.search(
        r"ZeroDivisionError: .+\nIn worker \d+: share_of_late\('XX'\)", output
    )
    for error in ("BrokenProcessPool", "WorkerDied"):
        assert re.search(
            rf"^{error}: Worker \d+ was killed by SIGKILL while it ran "
            r"run_out_of_memory\('AS'\), 0\.",
            output,
            re.MULTILINE,
        )
    assert "16 carriers after the death of a worker; the first: 10.6%" in output


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_fifth_notebook_names_why_its_pools_are_not_faster(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One task that is longer than all others, workers that wait, and one that is killed.
    """
    monkeypatch.setenv("START_METHOD", method)
    output = run("05_see_tasks.ipynb")
    assert f"327,346 flights, workers are started by {method}" in output
    assert "43.0 minutes off with hour, distance, air_time" in output
    assert "slowest: fit(('hour', 'distance', 'air_time'), 0)" in output
    assert "the longest tasks began last. Put them first." in output
    assert re.search(r"^6,8\d\d steps, and 1,39\d of all others", output, re.MULTILINE)
    assert re.search(
        r"^Its workers wait on conn for .+ of their time", output, re.MULTILINE
    )
    assert "The same windows for 12 carriers" in output
    assert re.search(
        r"^Worker \d+ was killed by SIGKILL while it ran run_out_of_memory\('AA', \[",
        output,
        re.MULTILINE,
    )
    assert re.search(r"^\w+PoolWorker-\d+ killed by SIGKILL$", output, re.MULTILINE)
    assert "run_out_of_memory: 11 done, 1 lost, " in output


NAMES = [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb"))]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_kept_without_outputs(name: str) -> None:
    """
    Outputs are those of the reader's own run.
    """
    notebook = nbformat.reads((NOTEBOOKS / name).read_text(), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and not cell.execution_count for cell in code)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_sixth_notebook_gives_the_same_in_every_way_on_a_cluster() -> None:
    """
    A bootstrap three ways, the state of each submit, and one dictionary for all tasks.
    """
    output = run("06_cluster.ipynb")
    assert "336,776 flights" in output
    assert "All three runs agree" in output
    assert re.search(r"^%share --on dask +\d+\.\d +\d+\.\d$", output, re.MULTILINE)
    assert "4,984 miles before, 12,001 miles after" in output
    assert "27,789 flights were over 60 minutes late, 3,931 of United" in output
    assert "No server runs and nothing is shared" in output
