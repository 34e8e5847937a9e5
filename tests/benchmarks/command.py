"""
The command line of a benchmark, and a quick run of it by a test.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from tests.support.processes import ROOT

from .machine import describe_machine
from .table import as_json, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from .table import Row

    Size = TypeVar("Size")

__all__ = ["make_parser", "print_table", "quick_run", "run"]


def make_parser(name: str, description: str) -> argparse.ArgumentParser:
    """
    Make the parser of the options that every benchmark has.

    Args:
        name: The benchmark's module.
        description: What it measures, in a sentence.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.benchmarks.{name}", description=description
    )
    parser.add_argument(
        "--quick", action="store_true", help="seconds, with numbers that mean little"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def print_table(
    options: argparse.Namespace,
    sizes: tuple[Size, Size],
    measure: Callable[[Size], list[Row]],
) -> None:
    """
    Measure, and print the table as text or as JSON.

    Args:
        options: Those of `make_parser`.
        sizes: Those of a full and of a quick run.
        measure: Gives the rows.
    """
    full, quick = sizes
    # Before anything is measured, which would be its load.
    machine = describe_machine()
    rows = measure(quick if options.quick else full)
    sys.stdout.write((as_json if options.json else as_text)(rows, machine))


def run(
    name: str,
    description: str,
    sizes: tuple[Size, Size],
    measure: Callable[[Size], list[Row]],
) -> None:
    """
    Do as the command line says: measure, and print the table.

    Args:
        name: The benchmark's module.
        description: What it measures, in a sentence.
        sizes: Those of a full and of a quick run.
        measure: Gives the rows.
    """
    print_table(make_parser(name, description).parse_args(), sizes, measure)


def quick_run(name: str, deadline: float, *options: str) -> dict[str, Any]:
    """
    Run a benchmark quickly in a process of its own, and give what it tells programs.

    Args:
        name: The benchmark's module.
        deadline: Seconds.
        options: More options for its command line.
    """
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", "--quick", "--json"]
    done = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=deadline,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
