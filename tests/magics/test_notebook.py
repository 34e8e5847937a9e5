"""
What a notebook shows of proxies, in a real kernel with real workers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

CELL_S = 60
ROOT = Path(__file__).parents[2]
#: Where workers find the jobs of the tests.
LOAD = "import sys\nsys.path.insert(0, {root!r})\n%load_ext duck_jupyter\n"
POOL = """
from concurrent.futures import ProcessPoolExecutor
from tests.support.jobs import call, grouped
"""
FRAME = "import pandas\ndf = pandas.DataFrame({'a': [1, 2], 'b': 0.5})\n"
LINE = "DataFrame, 2 rows × {}"  # noqa: RUF001


def run(*cells: str) -> list[list[Any]]:
    """
    Run a notebook, and give the outputs of its cells, without empty ones.
    """
    first, *others = cells
    sources = [LOAD.format(root=str(ROOT)) + first, *others]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.strip()) for source in sources]
    )
    NotebookClient(notebook, timeout=CELL_S, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def text_of(output: Any) -> str:
    """
    Give an output as text.
    """
    return str(output.get("text") or output["data"]["text/plain"]).strip()


def test_a_frame_is_shown_below_a_line_also_where_it_comes_from_a_worker() -> None:
    (answer,), (own,), (theirs,), (printed,) = run(
        POOL + FRAME + "%share df",
        "shared.df",
        "with ProcessPoolExecutor(1) as pool:\n"
        "    found = pool.submit(grouped, shared.df).result()\n"
        "found",
        "print(shared.df)",
    )
    assert text_of(answer).startswith("shared.df → DataFrame")
    columns = "2 columns: shared.df of this notebook"
    assert LINE.format(columns) in own["data"]["text/html"]
    assert "<table" in own["data"]["text/html"]
    column = "1 column, level 2: shared.df.groupby().sum() of this notebook"
    assert LINE.format(column) in theirs["data"]["text/html"]
    assert text_of(printed).split() == ["a", "b", "0", "1", "0.5", "1", "2", "0.5"]


def test_a_figure_is_shown_below_a_line() -> None:
    _, (figure,) = run(
        "import matplotlib.pyplot as plt\nfig, _ = plt.subplots()\nplt.close(fig)\n"
        "%share fig;",
        "shared.fig",
    )
    title, picture = figure["data"]["text/html"].split("</div>")
    assert "shared.fig of this notebook" in title
    assert picture.startswith('<img src="data:image/png;base64,iVBOR')


def test_an_error_of_the_kernel_names_its_cell() -> None:
    *_, (stream,) = run(
        POOL,
        "def divide(x):\n    return 1 / x\n%share divide;",
        "with ProcessPoolExecutor(1) as pool:\n"
        "    error = pool.submit(call, shared.divide, 0).exception()",
        "print(error.__cause__)",
    )
    assert "  Cell In[2], line 2, in divide" in text_of(stream)
    assert "ipykernel_" not in text_of(stream)


def test_what_is_typed_in_a_row_works() -> None:
    outputs = run(
        FRAME + "%share df;",
        "%reload_ext duck_jupyter\nlist(shared)",
        "%reset -f",
        "shared",
        "%duck",
        "%unshare --help",
        "get_ipython().object_inspect('shared')['found']",
    )
    texts = [text_of(output) for (output,) in filter(None, outputs)]
    assert texts[:2] == ["['df']", "<shared: nothing yet>"]
    assert texts[2].startswith("%duck [--help]")
    assert texts[3].startswith("%unshare [--all]")
    assert texts[4] == "True"
