"""
The harness itself; what it finds is printed by ``python -m tests.conformance``.
"""

from __future__ import annotations

import collections
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.proxy import Proxy
from tests.support.processes import ROOT

from .__main__ import missing_for
from .foreign import FOLDER_VARIABLE
from .known import LIST, is_run, read_known
from .report import Found, as_markdown
from .running import run_suite
from .stand_ins import bring, stand_in_for
from .station import Station
from .suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = re.compile(r"<!-- table -->\n(.*?)\n<!-- end -->", re.DOTALL)


@pytest.fixture(scope="module")
def station(own_folders: None) -> Iterator[Station]:
    """
    A process for the objects of stand-ins.
    """
    with Station() as station:
        bring(station)
        yield station
        bring(None)


@pytest.mark.slow
def test_a_stand_in_makes_proxies_of_objects_of_another_process(
    station: Station,
) -> None:
    made: Any = stand_in_for(list)("ab")
    assert made == ["a", "b"]
    assert isinstance(made, Proxy)
    assert isinstance(made, stand_in_for(list))
    assert not isinstance(made, stand_in_for(dict))


@pytest.mark.slow
def test_a_class_derived_from_a_stand_in_makes_proxies_too(station: Station) -> None:
    base: Any = stand_in_for(collections.deque)

    class Mine(base):  # type: ignore[misc]
        def double(self) -> list[int]:
            return [2 * item for item in self]

    made = Mine([1, 2])
    assert isinstance(made, Proxy)
    assert made.double() == [2, 4]


def test_a_stand_in_equals_its_class() -> None:
    stand_in = stand_in_for(list)
    assert [x for x in (list, dict) if stand_in == x] == [list]
    assert len({list, stand_in}) == 1


@pytest.mark.slow
def test_a_test_that_hangs_or_dies_is_a_result_and_not_the_end() -> None:
    found = run_suite(
        "list", on_proxies=True, deadline=0.5, module="tests.conformance.faulty"
    )
    assert {name: how for name, (how, _) in found.items()} == {
        "Case.passes": "passed",
        "Case.hangs": "hung",
        "Case.dies": "died",
        "Case.fails": "failed",
    }


def test_a_suite_that_cannot_be_loaded_says_so() -> None:
    with pytest.raises(RuntimeError, match=r"could not be loaded:\n.*No module named"):
        run_suite("list", on_proxies=False, module="tests.conformance.nothing")


def test_an_entry_has_the_reason_above_it() -> None:
    text = (
        "# One\n# and more.\nlist/T.test_a\nUserDict/T.test_b\n\n# Two.\nset/T.test_c\n"
    )
    assert read_known(text) == {
        "list/T.test_a": "One and more.",
        "UserDict/T.test_b": "One and more.",
        "set/T.test_c": "Two.",
    }


def test_a_reason_may_say_that_a_test_is_not_run() -> None:
    known = read_known("# Not run: slow.\nl/T.a\n\n# Slow.\nl/T.b\n")
    assert [x for x in ("l/T.a", "l/T.b", "l/T.c") if is_run(known, x)] == [
        "l/T.b",
        "l/T.c",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("list/T.test_a\n", "Line 1 must be"),
        ("# \nlist/T.test_a\n", "Line 2 must be"),
        ("# Why.\nlist T\n", "Line 2 must be"),
        ("# Why.\nl/T.a\n# Else.\nl/T.a\n", "Line 4 must name a new test"),
    ],
)
def test_a_line_that_is_wrong_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_known(text)


def test_what_is_new_and_what_passes_now_are_told() -> None:
    names = ("old", "new", "gone", "fine", "else")
    local = {f"T.{name}": ("passed", "") for name in names}
    local["T.else"] = ("skipped", "")
    there = {**local, "T.old": ("failed", "why"), "T.new": ("failed", "of\nit")}
    known = dict.fromkeys(("list/T.old", "list/T.gone", "list/T.else"), "why")
    assert Found(SUITES[0], local, there).judge(known) == [
        "NEW list/T.new failed: of it",
        "PASSES NOW list/T.gone",
    ]


def test_per_cent_is_of_what_passes_on_objects() -> None:
    passed, failed = ("passed", ""), ("failed", "why")
    local = {"T.a": passed, "T.b": passed, "T.c": failed, "T.d": passed}
    there = {"T.a": passed, "T.b": failed, "T.c": passed}
    found = Found(SUITES[0], local, there)
    assert (found.kept, found.lost) == (["T.a"], ["T.b", "T.d"])
    row = as_markdown([found]).splitlines()[2]
    assert " ".join(row.split()) == "| list | 3 | 1 | 33.3 | 95 |"


def test_the_table_of_the_docs_is_that_of_the_list() -> None:
    known = read_known(LIST.read_text(encoding="utf-8"))
    lost = Counter(name.partition("/")[0] for name in known)
    found = TABLE.search((ROOT / "docs/conformance.md").read_text(encoding="utf-8"))
    assert found is not None
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in found[1].splitlines()[2:]
    ]
    for suite, row in zip(SUITES, rows, strict=True):
        passing = int(row[1])
        kept = passing - lost.pop(suite.name, 0)
        percent = f"{100 * kept / passing:.1f}"
        numbers = [str(passing), str(kept), percent, str(suite.to_reach)]
        assert row == [suite.name, *numbers]
    assert not lost


def test_what_is_missing_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "test", None)
    text = missing_for(list(SUITES))
    assert "wrapt, lazy: the sdists are missing. Run `python -m pip " in text
    assert "libpython3-testsuite on Debian" in text
    monkeypatch.setenv(FOLDER_VARIABLE, ".")
    assert not missing_for([suite for suite in SUITES if suite.from_sdist])
