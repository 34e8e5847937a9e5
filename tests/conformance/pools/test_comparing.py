"""
The harness itself; what it finds is printed by ``python -m tests.conformance.pools``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .compare import KNOWN, Compared, as_markdown, compare, is_known, read_known
from .suites import FOLDER_VARIABLE, SUITES, PoolSuite, missing_for

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import os
from concurrent.futures import ProcessPoolExecutor
from duck_jupyter.pools.install import is_installed

def test_differs():
    assert not is_installed()

def test_dies():
    os._exit(3)

def test_leaves():
    raise SystemError("no")

def test_in_a_pool():
    with ProcessPoolExecutor(1) as pool:
        assert pool.submit(abs, -3).result() == 3
"""


@pytest.mark.slow
def test_what_differs_is_found_and_what_dies_is_a_result(
    own_folders: None, tmp_path: Path
) -> None:
    path = tmp_path / "test_some.py"
    path.write_text(TESTS)
    said: list[str] = []
    found = compare(PoolSuite("some", (str(path),)), is_quick=False, say=said.append)
    ends = {name.rpartition("::")[2]: how for name, (how, _) in found.loaded.items()}
    assert ends == {
        "test_differs": "failed",
        "test_dies": "died",
        "test_leaves": "failed",
        "test_in_a_pool": "passed",
    }
    (name,) = found.differing()
    assert name.endswith("test_some.py::test_differs")
    assert "without: passed; with: failed (assert not True" in found.tell(name)
    for known, row in {
        "# why\n": "| some | 4 | 2 | 1 | 0 | 1 |",
        "# why\ntest_differs\n": "| some | 4 | 2 | 1 | 1 | 0 |",
    }.items():
        assert as_markdown([found], read_known(known)).splitlines()[-1] == row


@pytest.mark.slow
def test_what_is_known_to_differ_is_run_last(own_folders: None, tmp_path: Path) -> None:
    path = tmp_path / "test_some.py"
    path.write_text(
        "seen = []\n"
        "def test_first(): assert not seen\n"
        "def test_leaking(): seen.append('leak')\n"
        "def test_last(): assert not seen\n"
    )
    suite = PoolSuite("some", (str(path),))
    for known, how in ([], "failed"), (["test_leaking"], "passed"):
        said: list[str] = []
        found = compare(suite, is_quick=False, say=said.append, known=known)
        ends = [how for how, _ in found.loaded.values()]
        assert sorted(ends) == sorted(["passed", "passed", how]), said


def test_a_test_that_is_missing_differs() -> None:
    passed = ("passed", "")
    found = Compared("some", {"a": passed, "b": passed}, {"a": passed})
    assert found.differing() == ["b"]
    assert found.tell("b") == "some: b without: passed; with: missing"


def test_a_known_test_is_known_with_all_its_parameters() -> None:
    known = read_known(KNOWN.read_text(encoding="utf-8"))
    assert is_known("x.py::Fork::test_traceback[1]", known)
    assert not is_known("x.py::Fork::test_map", known)


def test_what_is_missing_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    loky = [suite for suite in SUITES if suite.sdist]
    assert "The sdist of loky is missing. Run `python -m pip" in missing_for(loky)
    monkeypatch.setenv(FOLDER_VARIABLE, ".")
    assert not missing_for(loky)
