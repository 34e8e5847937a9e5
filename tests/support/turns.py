"""
Turns of tests that run at the same time in several processes of pytest-xdist.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Turns", "count_processes"]

HERE = Path(__file__).parent
#: Tests wait for other processes a third of their time: one more than there are cores.
#: More of them get in one another's way, for tests start processes themselves.
MOST_PROCESSES = 3


def count_processes(config: pytest.Config, cores: int) -> int:
    """
    Say how many processes a run has: one where it was asked for some tests by name.

    Args:
        config: That of the run.
        cores: How many there are.

    Returns:
        A number for pytest-xdist; 0 is this process alone.
    """
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        return 0
    return min(cores + 1, MOST_PROCESSES)


def is_alone(item: pytest.Item) -> bool:
    """
    Tell whether no other test may run beside a test.
    """
    return item.get_closest_marker("alone") is not None


class Turns:
    """
    Runs a test that is marked `alone` when no other process runs one.

    What ended processes left is removed by whoever comes next, on the whole machine: a
    test that makes such things must not meet a test that starts a server.
    """

    def __init__(self) -> None:
        # Files that are there anyway. A child that was forked may keep them open, and
        # unlocking counts for it too.
        self._running = (HERE / "__init__.py").open()
        self._entering = (HERE.parent / "__init__.py").open()
        #: Whether this process keeps its turn: the next test is to be alone as well.
        self._keeps = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """
        Put the tests that are to be alone first, one after the other.

        Each of them would otherwise wait for whatever runs in the other process, which
        may be the longest test of all.
        """
        items.sort(key=lambda item: not is_alone(item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, bool, bool]:
        """
        Wait for the turn of a test, and run it with its fixtures.
        """
        if not self._keeps:
            # One that waits to be alone keeps others from entering, or waits for ever.
            fcntl.flock(self._entering, fcntl.LOCK_EX)
            try:
                how = fcntl.LOCK_EX if is_alone(item) else fcntl.LOCK_SH
                fcntl.flock(self._running, how)
            finally:
                fcntl.flock(self._entering, fcntl.LOCK_UN)
        try:
            return (yield)
        finally:
            self._keeps = is_alone(item) and nextitem is not None and is_alone(nextitem)
            if not self._keeps:
                fcntl.flock(self._running, fcntl.LOCK_UN)

    def pytest_unconfigure(self) -> None:
        """
        Close the files.
        """
        self._running.close()
        self._entering.close()
