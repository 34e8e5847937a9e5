"""
The tab key on the lines of the magics.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.completer import provisionalcompleter

from duck_jupyter.magics.options import words_of
from duck_jupyter.magics.share import DuckMagics

if TYPE_CHECKING:
    from .cells import Cells

LINES = [
    ("%share d", ["df"]),
    ("%share mo", ["model"]),
    ("%share df mo", ["model"]),
    ("%share df,mo", ["model"]),
    ("p = %share d", ["df"]),
    ("x = 1\n%share d", ["df"]),
    ("%share df --re", ["--readonly"]),
    ("%share --a", ["--allow", "--as"]),
    ("%unshare ", ["--all", "--help", "cfg"]),
    ("%unshare c", ["cfg"]),
    ("%unshare --", ["--all", "--help"]),
    ("%duck st", ["status", "stop"]),
    ("%duck d", ["doctor"]),
    ("%duck --", ["--help"]),
    ("%duck doctor --", ["--clean", "--help"]),
    ("%duck status --", ["--help"]),
    ("%share df --inp", ["--inplace"]),
    ("%share df --no", ["--no-handover"]),
]


@pytest.fixture(params=[True, False], ids=["jedi", "no jedi"])
def completer(cells: Cells, request: pytest.FixtureRequest) -> Any:
    """
    The completer of a notebook with variables, one of which is shared.
    """
    cells.run("import json\ndf = model = cfg = [1]\n_hidden = 1")
    cells.run("proxy = %share cfg")
    completer = cells.shell.Completer
    completer.use_jedi = request.param
    return completer


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_names_and_options_are_completed(
    completer: Any, text: str, expected: list[str]
) -> None:
    with provisionalcompleter():
        found = list(completer.completions(text, len(text)))
    assert sorted(one.text for one in found) == expected


@pytest.mark.parametrize("magic", ["share", "unshare", "duck"])
def test_every_option_of_the_help_is_completed(
    cells: Cells, completer: Any, magic: str
) -> None:
    usage = getattr(DuckMagics, magic).parser.format_usage()
    words = ["", *(f"{word} " for word in words_of(getattr(DuckMagics, magic)))]
    found = set()
    for word in words:
        text = f"%{magic} {word}--"
        with provisionalcompleter():
            found |= {one.text for one in completer.completions(text, len(text))}
    assert found == set(re.findall(r"--[\w-]+", usage))


@pytest.mark.filterwarnings("ignore:.*Completer.complete:PendingDeprecationWarning")
@pytest.mark.parametrize(
    ("text", "expected"), [one for one in LINES if "\n" not in one[0]]
)
def test_the_older_way_to_ask_gives_the_same(
    cells: Cells, completer: Any, text: str, expected: list[str]
) -> None:
    assert sorted(cells.shell.complete(None, text, len(text))[1]) == expected
    assert sorted(cells.shell.complete(text)[1]) == expected


def test_only_what_can_be_shared_is_offered(completer: Any) -> None:
    with provisionalcompleter():
        found = {one.text for one in completer.completions("%share ", 7)}
    assert {"df", "model", "cfg"} <= found
    assert not {"json", "proxy", "shared", "locked", "In", "_hidden"} & found


@pytest.mark.slow
def test_other_lines_are_left_to_others(completer: Any) -> None:
    with provisionalcompleter():
        found = [one.text for one in completer.completions("mode", 4)]
    assert "model" in found
    assert "--all" not in found


def test_attributes_and_items_of_shared_are_completed(
    cells: Cells, completer: Any
) -> None:
    with provisionalcompleter():
        attributes = [one.text for one in completer.completions("shared.c", 8)]
        items = [one.text for one in completer.completions("shared['", 8)]
    assert [text.rpartition(".")[2] for text in attributes] == ["cfg"]
    assert items == ["cfg"]
