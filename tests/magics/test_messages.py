"""
What %share answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.session.api import own_session, shared

from .cells import uncoloured

if TYPE_CHECKING:
    from .cells import Cells

SETUP = """
import pandas
df = pandas.DataFrame({"a": range(2000), "b": 1})
results = {}
lock = __import__("threading").Lock()
"""
LIVE = "pass shared.{} to workers, and its calls run here"
DATA = "in a worker fetch(shared.df) or just df"
FRAME = "DataFrame 2,000 × 2"  # noqa: RUF001

LINES = [
    ("%share df", f"shared.df → {FRAME}, live; {DATA}"),
    ("%share df --frozen", f"shared.df → {FRAME}, frozen; {DATA}"),
    ("%share df --inplace", f"shared.df → {FRAME}, in place; {DATA}"),
    ("%share df --readonly", f"shared.df → {FRAME}, read-only; {DATA}"),
    (
        "%share df --no-handover",
        f"shared.df → {FRAME}, live; in a worker fetch(shared.df)",
    ),
    (
        "%share df --as data",
        f"shared.data → {FRAME}, live; in a worker fetch(shared.data) or just df",
    ),
    ("%share results", f"shared.results → dict 0 keys, live; {LIVE.format('results')}"),
    ("%share lock", f"shared.lock → lock, live; {LIVE.format('lock')}"),
    (
        "%share results --readonly --allow update",
        "shared.results → dict 0 keys, read-only but for update; "
        + LIVE.format("results"),
    ),
    (
        "%share results --allow keys,get",
        "shared.results → dict 0 keys, live, only get, keys; " + LIVE.format("results"),
    ),
    (
        "%share results --readonly;\n%share results --allow update",
        "shared.results → dict 0 keys, read-only but for update; "
        + LIVE.format("results"),
    ),
]


def printed_in(capsys: pytest.CaptureFixture[str]) -> str:
    """
    Give what was printed, without the number before a cell's value.
    """
    return re.sub(r"Out\[\d\]: \n?", "", uncoloured(capsys.readouterr().out))


@pytest.fixture
def filled(cells: Cells, capsys: pytest.CaptureFixture[str]) -> Cells:
    """
    A notebook with variables to share.
    """
    cells.run(SETUP)
    capsys.readouterr()
    return cells


@pytest.mark.parametrize(("line", "answer"), LINES)
@pytest.mark.parametrize("form", ["{}", "p = {}", "{}\nNone", "{}  # a comment\n"])
def test_share_says_what_it_did_and_how_to_use_it(
    filled: Cells,
    capsys: pytest.CaptureFixture[str],
    line: str,
    answer: str,
    form: str,
) -> None:
    filled.run(form.format(line))
    assert printed_in(capsys) == f"{answer}\n"


def test_the_proxy_is_the_value_all_the_same(filled: Cells) -> None:
    assert filled.run("%share results") is shared.results
    assert filled.run("%share results df") == (shared.results, shared.df)


def test_several_are_answered_line_by_line(
    filled: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.run("%share df results")
    first, second = printed_in(capsys).splitlines()
    assert first.startswith("shared.df → DataFrame")
    assert second.startswith("shared.results → dict")


def test_a_semicolon_silences_it(
    filled: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.run("%share df;")
    filled.run("p = %share df;")
    assert printed_in(capsys) == ""
    assert list(shared) == ["df"]


def test_the_object_is_shown_where_it_is_asked_for(
    filled: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.run("%share df\nshared.df")
    answer, title, *table = printed_in(capsys).splitlines()
    assert answer.startswith("shared.df → ")
    assert title.startswith("<proxy>-1 DataFrame, 2,000 rows")
    assert len(table) > 5
    filled.run("p = %share df")
    capsys.readouterr()
    filled.run("p")
    assert "<proxy>-1 DataFrame" in printed_in(capsys)


def test_a_table_is_no_answer(
    filled: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.run("%share df;")
    filled.run("%share")
    assert "Serving 1 object" in printed_in(capsys)
    assert own_session().server is not None
