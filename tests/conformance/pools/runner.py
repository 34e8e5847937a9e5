"""
The process that runs tests with pytest, in a cell of an IPython shell: a script.

It is outside of our package `tests`, because loky's tests are a package of that name.
It tells its parent over a pipe which test begins and how it ended, as `..runner` does.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["main"]

#: How one phase of a test counts, the worst last.
ORDER = ("passed", "skipped", "failed")
#: No other plugin, cache or configuration; and no capture, which workers would inherit.
OPTIONS = [
    *("-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull, "-q"),
    *("-W", "ignore::pytest.PytestWarning", "--import-mode=prepend"),
]


class Teller:
    """
    A plugin of pytest that tells how each test ends.

    Args:
        pipe: To the parent.
        skip: How many tests are done.
        only: The tests that are run, by name; None for all.
        last: The names of functions whose tests are run after all others.
    """

    def __init__(
        self,
        pipe: Connection[Any, Any],
        skip: int,
        only: list[str] | None,
        last: list[str],
    ) -> None:
        self._pipe = pipe
        self._skip = skip
        self._only = only
        self._last = last
        self._outcome = ("passed", "")

    def pytest_collection_finish(self, session: Any) -> None:
        """
        Tell the names of the chosen tests, and keep what is left to do.
        """
        items = session.items
        if self._only is not None:
            items[:] = [item for item in items if item.nodeid in self._only]
        items.sort(key=lambda item: getattr(item, "originalname", "") in self._last)
        self._pipe.send([item.nodeid for item in items])
        del items[: self._skip]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """
        Tell that a test begins.
        """
        self._outcome = ("passed", "")
        self._pipe.send(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """
        Note how a phase of a test ended.
        """
        if ORDER.index(report.outcome) > ORDER.index(self._outcome[0]):
            crash = getattr(report.longrepr, "reprcrash", None)
            text = str(report.longrepr if crash is None else crash.message)
            self._outcome = report.outcome, text.strip()[-1000:]

    def pytest_runtest_logfinish(self) -> None:
        """
        Tell how the test ended.
        """
        self._pipe.send(self._outcome)


def main() -> None:
    """
    Do as the command line says.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("pipe", type=int, help="the descriptor of the pipe")
    parser.add_argument("--load", action="store_true", help="load the extension")
    parser.add_argument("--skip", type=int, default=0, help="how many tests are done")
    parser.add_argument("--only", type=json.loads, help="a JSON list of tests")
    parser.add_argument("--last", type=json.loads, default=[], help="functions")
    options, words = parser.parse_known_args()
    # What this folder has is not to be imported in place of something else.
    del sys.path[0]
    os.set_inheritable(options.pipe, False)
    import pytest
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    if options.load:
        shell.run_line_magic("load_ext", "duck_jupyter")
    with Connection(options.pipe) as pipe:
        teller = Teller(pipe, options.skip, options.only, options.last)

        def run() -> None:
            # Some tests look at what Python's own prints.
            sys.excepthook = sys.__excepthook__
            pytest.main([*OPTIONS, *words], plugins=[teller])

        # In a cell, as what users write.
        shell.push({"run": run})
        shell.run_cell("run()")


if __name__ == "__main__":
    main()
