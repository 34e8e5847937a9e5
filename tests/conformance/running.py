"""
Run a suite in processes of its own; a test that hangs or crashes ends only its process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .runner import Outcome

__all__ = ["run_suite", "run_to_end"]

#: Seconds until a process has loaded its suite, and until it has ended.
START_S = 60.0
#: Seconds that one test may take.
DEADLINE_S = 60.0


def run_suite(
    name: str,
    *,
    on_proxies: bool,
    deadline: float = DEADLINE_S,
    module: str = "tests.conformance.runner",
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Outcome]:
    """
    Run all tests of a suite.

    Args:
        name: The name of the suite.
        on_proxies: What is tested are proxies.
        deadline: Seconds that one test may take.
        module: The module that is run in the process.
        say: Told what the processes print to their error output.

    Returns:
        How each test ended, by its name: ``passed``, ``failed``, ``skipped``, ``hung``
        or ``died``, and the last line of the error.

    Raises:
        RuntimeError: The suite could not be loaded.
    """
    more = ["--proxies"] if on_proxies else []

    def command(pipe: str, skip: str) -> list[str]:
        return ["-m", module, name, pipe, "--skip", skip, *more]

    return run_to_end(name, command, ROOT, deadline, say)


def run_to_end(
    name: str,
    command: Callable[[str, str], list[str]],
    folder: Path,
    deadline: float,
    say: Callable[[str], None],
) -> dict[str, Outcome]:
    """
    Run all tests of a suite, whatever they do to the process that runs them.

    Args:
        name: The name of the suite.
        command: Gives Python's arguments, from the descriptor of the pipe and the
            number of tests that are done.
        folder: Where the process runs.
        deadline: Seconds that one test may take.
        say: Told what the processes print to their error output.

    Returns:
        As for `run_suite`.

    Raises:
        RuntimeError: The suite could not be loaded.
    """
    found: dict[str, Outcome] = {}
    while True:
        with tempfile.TemporaryFile("w+") as err:
            is_done = _run_process(command, folder, found, deadline, err)
            err.seek(0)
            told = err.read()[-4000:]
        if is_done:
            return found
        if is_done is None:
            raise RuntimeError(f"The suite {name!r} could not be loaded:\n{told}")
        say(told)


def _run_process(
    command: Callable[[str, str], list[str]],
    where: Path,
    found: dict[str, Outcome],
    deadline: float,
    err: Any,
) -> bool | None:
    """
    Run what is left; tell whether nothing is left, or give None if it never began.
    """
    pipe, far_end = Pipe()
    words = command(str(far_end.fileno()), str(len(found)))
    with pipe, tempfile.TemporaryDirectory(prefix="c-") as folder:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=where,
            env={**os.environ, "TMPDIR": folder},
            pass_fds=[far_end.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
            start_new_session=True,
        )
        far_end.close()
        try:
            return _listen(pipe, found, deadline)
        finally:
            # What a test has started would go on for ever.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _listen(
    pipe: Connection[Any, Any], found: dict[str, Outcome], deadline: float
) -> bool | None:
    """
    Note how tests end, until all have or one does not; give None where none begins.
    """
    names = _receive(pipe, START_S)
    if not isinstance(names, list):
        return None
    while len(found) < len(names):
        begun = _receive(pipe, START_S)
        if isinstance(begun, Silence):
            # The fixtures of its class failed; the class's other tests come next.
            found[names[len(found)]] = (begun.how, "before the test began")
            return len(found) == len(names)
        outcome = _receive(pipe, deadline)
        if isinstance(outcome, Silence):
            found[begun] = (outcome.how, f"no end within {deadline:g} s")
            return len(found) == len(names)
        found[begun] = outcome
    return True


class Silence:
    """
    What is received where nothing comes.

    Args:
        how: ``hung``, or ``died`` where the other end was closed.
    """

    def __init__(self, how: str) -> None:
        self.how = how


def _receive(pipe: Connection[Any, Any], seconds: float) -> Any:
    try:
        return pipe.recv() if pipe.poll(seconds) else Silence("hung")
    except (EOFError, ConnectionResetError):
        return Silence("died")
