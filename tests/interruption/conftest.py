"""
The objects that are stepped through, and the table at the end of the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from duck_jupyter.session.api import own_session
from tests.support.workers import Worker

from .bench import Bench
from .choice import read_choice
from .runs import Run
from .steps import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .choice import Choice
    from .operation import Operation
    from .report import Report

    Walk = Callable[[Operation, str], Report]

REPORTS = pytest.StashKey[list["Report"]]()


@pytest.fixture(scope="session")
def choice() -> Choice:
    """
    Which steps are covered.
    """
    return read_choice()


@pytest.fixture(scope="module")
def rival(own_folders: None) -> Iterator[Worker]:
    """
    A worker that looks at the objects from beside.
    """
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    """
    Objects that are shared by this process.
    """
    yield Bench()
    own_session().stop()


@pytest.fixture
def walk(
    bench: Bench, rival: Worker, choice: Choice, request: pytest.FixtureRequest
) -> Walk:
    """
    Step through an operation, and note the report for the end.
    """

    def go(operation: Operation, mode: str) -> Report:
        run = Run(operation, mode, bench, rival)
        try:
            report = run.go(choice)
        finally:
            run.close()
        if operation.folder == PACKAGE:
            request.config.stash.setdefault(REPORTS, []).append(report)
        return report

    return go


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """
    Say how many steps were covered.
    """
    reports = config.stash.get(REPORTS, [])
    if reports:
        terminalreporter.section("steps of operations")
        terminalreporter.write_line(f"{read_choice()}")
        for report in reports:
            terminalreporter.write_line(report.row)
