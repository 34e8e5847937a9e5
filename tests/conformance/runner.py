"""
The process that runs a suite: ``python -m tests.conformance.runner``.

It tells its parent over a pipe which test begins and how it ended, so that the parent
knows which test it was that hung or ended the process.
"""

from __future__ import annotations

import argparse
import contextlib
import traceback
import unittest
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from .known import LIST, is_run, read_known
from .stand_ins import bring
from .station import Station
from .suites import SUITES, cases_of

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Outcome", "main"]

#: How a test ended, and the last line of what it raised.
Outcome = tuple[str, str]


class Listener(unittest.TestResult):
    """
    Remembers how one test ended.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outcome: Outcome = ("passed", "")

    def addError(self, test: Any, err: Any) -> None:
        self.outcome = ("failed", _line_of(err))

    def addFailure(self, test: Any, err: Any) -> None:
        self.outcome = ("failed", _line_of(err))

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.outcome = ("failed", _line_of(err))

    def addSkip(self, test: Any, reason: str) -> None:
        self.outcome = ("skipped", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        self.outcome = ("skipped", "expected failure")

    def addUnexpectedSuccess(self, test: Any) -> None:
        self.outcome = ("failed", "unexpected success")


def _line_of(err: tuple[type[BaseException], BaseException, TracebackType]) -> str:
    lines = traceback.format_exception_only(err[0], err[1])
    place = traceback.extract_tb(err[2])
    told = [x for x in place if "unittest" not in x.filename]
    where = f"line {told[-1].lineno} {told[-1].line}: " if told else ""
    inner = next((x for x in reversed(told) if "/test/" in x.filename), None)
    if inner is not None:
        where = f"line {inner.lineno}, {inner.line}: "
    return (where + "".join(lines).strip())[:1000]


def main() -> None:
    """
    Do as the command line says.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.runner")
    parser.add_argument("suite", choices=[suite.name for suite in SUITES])
    parser.add_argument(
        "pipe", type=int, help="the descriptor of the pipe to the parent"
    )
    parser.add_argument("--proxies", action="store_true")
    parser.add_argument("--skip", type=int, default=0, help="how many tests are done")
    options = parser.parse_args()
    suite = next(x for x in SUITES if x.name == options.suite)
    with contextlib.ExitStack() as stack:
        pipe: Connection[Any, Any] = stack.enter_context(Connection(options.pipe))
        if options.proxies:
            bring(stack.enter_context(Station()))
            stack.callback(bring, None)
        cases = cases_of(suite, on_proxies=options.proxies)
        if options.proxies:
            known = read_known(LIST.read_text(encoding="utf-8"))
            cases = [x for x in cases if is_run(known, f"{suite.name}/{_name_of(x)}")]
        pipe.send([_name_of(case) for case in cases])
        _run(cases[options.skip :], pipe)


def _run(cases: list[unittest.TestCase], pipe: Connection[Any, Any]) -> None:
    """
    Run tests one after another; those of one class share its fixtures.
    """
    ready: type[unittest.TestCase] | None = None
    for position, case in enumerate(cases):
        if ready is not type(case):
            type(case).setUpClass()
            ready = type(case)
        pipe.send(_name_of(case))
        listener = Listener()
        case.run(listener)
        pipe.send(listener.outcome)
        following = cases[position + 1 : position + 2]
        if not following or type(following[0]) is not ready:
            ready.tearDownClass()
            ready.doClassCleanups()


def _name_of(case: unittest.TestCase) -> str:
    return f"{type(case).__name__}.{case._testMethodName}"


if __name__ == "__main__":
    main()
