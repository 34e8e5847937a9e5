"""
%share, %unshare and %duck in a plain shell.
"""

from __future__ import annotations

import dataclasses
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter import AccessDenied, NotShared, ProxyObjectNotFound
from duck_jupyter.magics.options import help_of, options_of
from duck_jupyter.magics.share import DuckMagics
from duck_jupyter.session.api import own_session, shared
from tests.support.processes import wait_until

from .cells import own_threads

if TYPE_CHECKING:
    from .cells import Cells

# What is mistyped, and a word of what is said.
MISTAKES = [
    ("%share dff", "Did you mean df?"),
    ("%share df nosuch", "There is no variable 'nosuch'"),
    ("%share df json", "'json' is a module"),
    ("%share shared", "list of shared names"),
    ("%share cfg.paths", "must be given the name of a variable"),
    ("%share df --bufsize 3", "bufsize must be an integer from"),
    ("%share df --bufsize many", "--bufsize must be an integer, not 'many'."),
    ("%share df --bufsize", "expected one argument"),
    ("%share df --max-chain -1", "max_chain must be an integer from 0"),
    ("%share df --as 3x", "An alias must be"),
    ("%share df --as class", "An alias must be"),
    ("%share df --as ''", "An alias must be"),
    ("%share df --as _df", "begin with an underscore"),
    ("%share _hidden", "--as ALIAS"),
    ("%share df cfg --as both", "one variable, not 2"),
    ("%share df --allow 'no name'", "allow must be names of attributes"),
    ("%share df --allow ''", "allow must be names of attributes"),
    ("%share df --allow get, cfg", "allow must be names of attributes"),
    ("%share df --nonsense", "unrecognized arguments: --nonsense"),
    ("%share --readonly", "must be given the name of a variable"),
    ("%share 'df", "No closing quotation"),
    ("%unshare df", "nothing to unshare"),
    ("%unshare", "must be given names or --all"),
    ("%unshare df --all", "not both"),
    ("%duck --clean", "%duck doctor --clean"),
    (
        "%duck stpo",
        "command of %duck must be status, monitor, stop or doctor, not 'stpo'. Did you",
    ),
    ("%duck stop now", "unrecognized arguments: now"),
    ("%duck status --clean", "%duck doctor --clean"),
]


@pytest.fixture(autouse=True)
def variables(cells: Cells) -> None:
    cells.run("import json\ndf = [1, 2, 3]\ncfg = {'a': 1}\n_hidden = 1")


@pytest.mark.parametrize(("line", "words"), MISTAKES)
def test_a_mistake_is_one_clear_line_and_changes_nothing(
    cells: Cells, line: str, words: str
) -> None:
    before = dict(cells.shell.user_ns)
    assert words in cells.mistake(line)
    assert own_session().server is None
    assert {k: v for k, v in cells.shell.user_ns.items() if k in before} == before


def test_a_mistake_leaves_what_is_shared_as_it_was(cells: Cells) -> None:
    cells.run("p = %share df --bufsize 300")
    for line, _ in MISTAKES:
        if line != "%unshare df":
            cells.mistake(line)
    assert cells.run("list(shared)") == ["df"]
    assert cells.run("shared.df is p")


def test_a_proxy_is_a_mistake_too(cells: Cells) -> None:
    cells.run("p = %share df")
    assert "is already a proxy" in cells.mistake("%share p")


def test_share_gives_the_proxy(cells: Cells) -> None:
    cells.run("p = %share df")
    assert cells["p"] is cells.run("shared.df")
    cells["p"].append(4)
    assert cells["df"] == [1, 2, 3, 4]


def test_share_of_several_gives_all_of_them(cells: Cells) -> None:
    cells.run("p, q = %share df cfg")
    assert cells.run("p is shared.df and q is shared.cfg")
    assert len(cells.run("%share df, cfg")) == 2


def test_the_server_starts_with_the_first_share(cells: Cells) -> None:
    assert not own_threads()
    cells.run("%share df")
    assert own_session().server is not None


def test_an_alias_is_the_name_and_follows_the_variable(cells: Cells) -> None:
    cells.run("p = %share df --as data")
    assert cells.run("list(shared)") == ["data"]
    cells.run("df = [1]")
    assert len(cells["p"]) == 1


def test_an_alias_may_be_shared_again_by_its_own_name(cells: Cells) -> None:
    """
    Errors give such advice, and workers know no other name.
    """
    cells.run("%share df --as data")
    cells.run("%share data --readonly")
    with pytest.raises(AccessDenied, match="%share data"):
        cells.run("shared.data.append(1)")
    cells.run("df = [1]")
    assert cells.run("len(shared.data)") == 1


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("df", "%share df --readonly --allow append"),
        ("df --as data", "%share data --readonly --allow append"),
        ("df --as cfg", "%share df --as cfg --readonly --allow append"),
        (
            "df --bufsize 400 --max-chain 3",
            "%share df --bufsize 400 --max-chain 3 --readonly --allow append",
        ),
        ("df --no-handover", "%share df --no-handover --readonly --allow append"),
        ("df --frozen", "%share df --frozen --readonly --allow append"),
        ("df --allow pop", "%share df --readonly --allow append,pop"),
    ],
)
def test_the_line_of_an_error_opens_what_was_refused_and_nothing_else(
    cells: Cells, options: str, line: str
) -> None:
    cells.run(f"p = %share {options} --readonly")
    before = own_session().names[0].terms
    with pytest.raises(AccessDenied) as caught:
        cells["p"].append(4)
    assert caught.value.opened_by == line
    assert line in str(caught.value)

    cells.run(f"p = {line}")

    cells["p"].append(4)
    assert cells["df"] == [1, 2, 3, 4]
    assert cells.run("p[0], len(p), p.index(2), list(p)") == (1, 4, 1, [1, 2, 3, 4])
    with pytest.raises(AccessDenied, match="--readonly --allow append,clear"):
        cells["p"].clear()
    (shared_name,) = own_session().names
    assert dataclasses.replace(shared_name.terms, allow=before.allow) == before


def test_the_line_of_an_error_keeps_an_array_in_place(cells: Cells) -> None:
    cells.run("import numpy\narr = numpy.array([3, 1, 2])")
    cells.run("p = %share arr --inplace --readonly")
    with pytest.raises(AccessDenied) as caught:
        cells["p"].sort()
    cells.run(f"p = {caught.value.opened_by}")
    cells["p"].sort()
    assert cells["arr"].tolist() == [1, 2, 3]
    assert cells.run("%share").overview.rows[0].mode == "inplace"


def test_names_that_are_allowed_add_to_what_is_read_only(cells: Cells) -> None:
    cells.run("%share cfg --readonly\np = %share cfg --allow update")
    cells["p"].update(b=2)
    assert cells.run("p.get('b'), p['b']") == (2, 2)
    with pytest.raises(AccessDenied, match="read-only"):
        cells["p"].clear()
    cells.run("%share cfg\np = %share cfg --allow update")
    with pytest.raises(AccessDenied, match="not one of the allowed names"):
        cells["p"].get("b")


def test_names_may_stand_behind_options(cells: Cells) -> None:
    cells.run("%share df --readonly cfg\n%duck doctor --clean")
    rows = cells.run("%share").overview.rows
    assert [(row.path, row.mode) for row in rows] == [
        ("df", "read-only"),
        ("cfg", "read-only"),
    ]


def test_options_are_kept(cells: Cells) -> None:
    cells.run("%share df --readonly --bufsize 400\n%share cfg --allow get,keys")
    with pytest.raises(AccessDenied):
        cells.run("shared.df.append(1)")
    with pytest.raises(AccessDenied):
        cells.run("shared.cfg.clear()")
    assert cells.run("shared.cfg.get('a')") == 1
    row = cells.run("%share").overview.rows[0]
    assert (row.mode, row.bufsize) == ("read-only", 400)


def test_max_chain_is_of_the_name(cells: Cells) -> None:
    cells.run("%share cfg --max-chain 0\n%share df")
    server = own_session().server
    assert server is not None
    chains = [proxy.max_level for proxy in server.statistics().proxies]
    assert chains == [0, 7]


def test_sharing_with_other_settings_replaces_the_old_proxy(cells: Cells) -> None:
    cells.run("p = %share df")
    cells.run("q = %share df")
    assert cells["p"] is cells["q"]
    cells.run("q = %share df --readonly")
    with pytest.raises(ProxyObjectNotFound):
        cells.run("len(p)")
    assert len(cells.run("%share").overview.rows) == 1


def test_a_comment_and_a_semicolon_are_understood(cells: Cells) -> None:
    cells.run("%share df  # the flights")
    assert cells.run("%share df;") is None
    assert cells.run("list(shared)") == ["df"]


def test_a_name_follows_its_variable_in_later_cells(cells: Cells) -> None:
    cells.run("p = %share df")
    cells.run("df = df[:1]")
    assert len(cells["p"]) == 1
    with pytest.raises(ZeroDivisionError):
        cells.run("df = []\n1 / 0")
    assert len(cells["p"]) == 0
    cells.run("del df")
    assert cells.run("list(shared)") == []


def test_a_name_follows_its_variable_in_the_same_cell(cells: Cells) -> None:
    cells.run("%share df")
    assert cells.run("df = [0]\nlist(shared.df)") == [0]
    with pytest.raises(NotShared):
        cells.run("del df\nshared.df")


def test_a_function_of_the_notebook_sees_the_new_object(cells: Cells) -> None:
    cells.run("%share df\ndef count():\n    return len(shared.df)")
    cells.run("df = [0]")
    assert cells.run("count()") == 1


def test_the_proxy_of_its_own_variable_is_let_be(cells: Cells) -> None:
    cells.run("%share cfg\nwith locked(shared.cfg) as cfg:\n    cfg['a'] += 1")
    assert cells.run("shared.cfg['a']") == 2


def test_unshare_and_unshare_all(cells: Cells) -> None:
    cells.run("%share df cfg\nn = 1\n%share n")
    cells.run("%unshare shared.df")
    assert cells.run("list(shared)") == ["cfg", "n"]
    assert "Did you mean cfg" in cells.mistake("%unshare n cfgg")
    assert cells.run("list(shared)") == ["cfg", "n"]
    cells.run("%unshare --all")
    cells.run("%unshare --all")
    assert cells.run("list(shared)") == []


def test_stop_ends_the_server_and_the_next_share_starts_one(cells: Cells) -> None:
    cells.run("p = %share df")
    assert "Serving 1 object" in repr(cells.run("%duck status"))
    assert "No server runs" in repr(cells.run("%duck stop"))
    assert wait_until(lambda: not own_threads())
    assert cells.run("list(shared)") == []
    cells.run("%share df")
    assert len(cells.run("shared.df")) == 3


def test_sharing_copies_nothing(cells: Cells) -> None:
    cells.shell.user_ns["big"] = np.zeros(20_000_000)
    cells.run("%share df")
    tracemalloc.start()
    try:
        cells.run("%share big")
        cells.run("%share")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_an_object_that_refuses_everything_is_shared_and_shown(cells: Cells) -> None:
    class Hostile:
        def refuse(self, *_: Any) -> Any:
            raise RuntimeError("asked")

        __repr__ = __len__ = __eq__ = __bool__ = __getattr__ = __dir__ = refuse
        __class__ = property(refuse)

    cells.shell.user_ns["hostile"] = Hostile()
    cells.run("p = %share hostile")
    assert "Hostile" in repr(cells.run("%share"))
    # IPython itself asks the object, before a cell that begins with its name.
    cells.shell.user_ns["hostile"] = 1
    assert cells.run("shared.hostile + 1") == 2


@pytest.mark.parametrize("line", ["%reset -f", "%reset -s -f", "%reset -f\n1"])
def test_reset_unshares_and_the_names_are_there_again(cells: Cells, line: str) -> None:
    cells.run("%share df")
    cells.run(line)
    assert own_session().names == ()
    assert cells.run("[shared, fetch, locked, ref]")[0] is shared
    cells.run("df = [1]\n%share df")
    assert cells.run("len(shared.df)") == 1


def test_what_was_shared_without_a_variable_survives_a_reset(cells: Cells) -> None:
    cells.run("from duck_jupyter import share\nshare([1, 2], name='rows')")
    cells.run("%reset -f")
    assert cells.run("len(shared.rows)") == 2


def test_a_name_that_the_user_deletes_stays_deleted(cells: Cells) -> None:
    cells.run("del ref")
    assert "ref" not in cells.run("dir()")


@pytest.mark.parametrize("name", ["share", "unshare", "duck"])
def test_help_is_that_of_the_parser(
    cells: Cells, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    magic = getattr(DuckMagics, name)
    assert cells.run(f"%{name} --help") is None
    printed = capsys.readouterr().out
    assert printed == f"{help_of(magic)}\n"
    assert printed.startswith(f"%{name} [--")
    for option in options_of(magic):
        assert option.name in printed
    assert own_session().server is None


def test_duck_alone_prints_its_help(
    cells: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cells.run("%duck") is None
    assert capsys.readouterr().out == f"{help_of(DuckMagics.duck)}\n"
