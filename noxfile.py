"""
The developer's sessions: `nox -s lint types tests benchmarks notebooks`.
"""

from __future__ import annotations

from pathlib import Path

import nox

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]

nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = False


@nox.session
def lint(session: nox.Session) -> None:
    """
    Check style, format and spelling.
    """
    session.install("-e", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("codespell", "duck_jupyter", "tests", "README.md", "CHANGELOG.md")


@nox.session
def types(session: nox.Session) -> None:
    """
    Check types with mypy, strictly.
    """
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """
    Run the tests on each supported Python that is installed.
    """
    session.install("-e", ".[dev]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """
    Run the measurements; a quiet machine gives better numbers.
    """
    session.install("-e", ".[dev]")
    for plane in ("live", "data"):
        session.run("python", "-m", f"tests.benchmarks.{plane}", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """
    Execute every tutorial notebook from top to bottom.
    """
    session.install("-e", ".[dev]")
    convert = ["jupyter", "nbconvert", "--to", "markdown", "--execute", "--stdout"]
    for notebook in sorted(Path("notebooks").glob("*.ipynb")):
        session.run(*convert, str(notebook), silent=True)
