"""
Names the tests that do not end, when the run of all tests is ended from outside.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Unfinished"]


class Unfinished:
    """
    Prints which tests run at a SIGTERM, in the process that starts the others of xdist.

    A test has its own time limit. What stands before or after tests has none.
    """

    def __init__(self) -> None:
        self._running: list[str] = []
        #: What is printed.
        self._tests: list[str] = []
        self._before: Any = None

    def pytest_sessionstart(self) -> None:
        """
        Take the signal.
        """
        self._before = signal.signal(signal.SIGTERM, self._tell)

    def pytest_sessionfinish(self) -> None:
        """
        Give the signal back.
        """
        signal.signal(signal.SIGTERM, self._before)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """
        Note a test that begins.
        """
        self._running.append(nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """
        Note a test that has ended.
        """
        self._running.remove(nodeid)

    def _tell(self, number: int, frame: FrameType | None) -> None:
        self._tests = [f"FAILED {test} - did not end" for test in self._running]
        pytest.exit("SIGTERM came before the end")

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """
        Print the tests.
        """
        for line in self._tests:
            terminalreporter.write_line(line)
