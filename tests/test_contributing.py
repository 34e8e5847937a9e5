"""
What CONTRIBUTING.md names is there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
NOX = (ROOT / "noxfile.py").read_text()
SCRIPTS = json.loads((ROOT / "labextension/package.json").read_text())["scripts"]
#: Made by a session, and in no clone.
MADE = {".nox/package/tmp/dist"}
COMMANDS = re.findall(r"`(\.venv/bin/[^`]+)`", TEXT)


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
