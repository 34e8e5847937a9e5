"""
The version has one source.
"""

from __future__ import annotations

import re
from importlib.metadata import version

from duck_jupyter._version import __version__
from tests.support.processes import ROOT


def test_the_package_says_the_installed_version() -> None:
    assert __version__ == version("duck-jupyter")


def test_the_installed_version_is_the_one_in_pyproject() -> None:
    """
    If it fails after a new version: install the project again.
    """
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r'^version = "(.+)"$', settings, re.MULTILINE) == [__version__]
