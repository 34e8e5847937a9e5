"""
What CONTRIBUTING.md and docs/architecture.md name is there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.test_architecture import HEIGHT, MODULES, unit_of

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
NOX = (ROOT / "noxfile.py").read_text()
SCRIPTS = json.loads((ROOT / "labextension/package.json").read_text())["scripts"]
#: Made by a session, and in no clone.
MADE = {".nox/package/tmp/dist"}
COMMANDS = re.findall(r"`(\.venv/bin/[^`]+)`", TEXT)
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
#: Modules and packages below the package, or a module of the tests.
NAMED = set(re.findall(r"`((?:\w+/)*\w+\.py|\w+/\w+)`", ARCHITECTURE))


def paths() -> set[str]:
    """
    Give what looks like a path of the repository, alone in backticks.
    """
    words = re.findall(r"`([\w./-]+)`", TEXT)
    found = {w for w in words if "/" in w or Path(w).suffix in (".md", ".py", ".toml")}
    return found - MADE


@pytest.mark.parametrize("path", sorted(paths()))
def test_a_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_a_session_that_is_named_is_one_of_noxs() -> None:
    named = {
        word
        for command in COMMANDS
        if " -s " in command
        for word in command.partition(" -s ")[2].split()
    }
    assert named
    assert named <= set(re.findall(r"@nox\.session.*\ndef (\w+)\(", NOX))


def test_a_test_that_is_named_is_there() -> None:
    ((path, word),) = re.findall(r"pytest (tests/\S+) -k (\w+)", TEXT)
    assert re.search(rf"def test_\w*{word}", (ROOT / path).read_text())


def test_a_script_that_is_named_is_one_of_npms() -> None:
    named = set(re.findall(r"npm run (\w+)", TEXT))
    assert named == {"build", "demo"}
    assert {*named, "test"} <= SCRIPTS.keys()


@pytest.mark.parametrize("path", sorted(NAMED))
def test_a_module_that_the_architecture_names_is_there(path: str) -> None:
    folder = ROOT if path.startswith("tests/") else ROOT / "duck_jupyter"
    assert (folder / path).exists()


def test_the_architecture_names_every_package_in_the_order_of_the_floors() -> None:
    table = ARCHITECTURE.partition("## Packages")[2].partition("## Terms")[0]
    rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    words = [word for row in rows for word in re.findall(r"`([\w.]+)`", row)]
    named = [word.removesuffix(".py") for word in words]
    heights = [HEIGHT[name] for name in named]
    assert heights == sorted(heights)
    units = {unit_of(path) for path in MODULES}
    assert set(named) == units - {"__init__", "_version"}


def test_each_number_names_a_test_that_is_there() -> None:
    table = ARCHITECTURE.partition("## The numbers of the monitor")[2]
    rows = re.findall(r"^\| .* \|$", table.partition("\n## ")[0], re.MULTILINE)[2:]
    assert len(rows) > 10
    for row in rows:
        ((path, name),) = re.findall(r"`(\S+\.py)::(test_\w+)` \|$", row)
        assert f"def {name}(" in (ROOT / "tests" / path).read_text(), row
