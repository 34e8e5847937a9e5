"""
A worker process that lasts: a test hands it a job and gets the result at once.

To start a process takes a hundred times as long as most jobs, so one serves all tests.
"""

from __future__ import annotations

import importlib
import multiprocessing
import pickle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

DEADLINE_S = 20.0
#: What expressions may use by name, and the modules all of whose names they may.
MODULES = (
    *("array", "collections", "contextlib", "copy", "datetime", "io", "itertools"),
    *("json", "math", "operator", "os", "pprint", "random", "threading"),
)
SOURCES = (
    "duck_jupyter.errors",
    "duck_jupyter.proxy",
    "duck_jupyter.client.detaching",
    "duck_jupyter.client.fetching",
    "duck_jupyter.client.locking",
    "duck_jupyter.client.references",
    "tests.support.objects",
)


class Worker:
    """
    A spawned process that does one job after another.

    Whoever makes it closes it. If a job did not end, the next one gets a new process.
    """

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._jobs, far_end = context.Pipe()
        self._process = context.Process(
            target=work, args=(far_end,), name="test-worker", daemon=True
        )
        self._process.start()
        far_end.close()

    @property
    def pid(self) -> int:
        """
        The number of the process.
        """
        assert self._process.pid is not None
        return self._process.pid

    def run(self, job: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """
        Call a function in the worker.

        Args:
            job: A function that the worker can import.
            args: Its arguments; proxies among them arrive as proxies.
            kwargs: The same by name.

        Returns:
            What the function returns.

        Raises:
            BaseException: What the function raises, with its cause.
            AssertionError: The worker did not answer in time, and was ended.
        """
        if self._jobs.closed:
            self._start()
        self._jobs.send((job, args, kwargs))
        if not self._jobs.poll(DEADLINE_S):
            self.close()
            raise AssertionError(f"{job.__name__} did not end within {DEADLINE_S} s")
        result, error, cause = self._jobs.recv()
        if error is not None:
            raise error from cause
        return result

    def eval(self, expression: str, **names: Any) -> Any:
        """
        Evaluate an expression in the worker.

        Args:
            expression: Python code; it may use the names that `names_for` gives.
            names: What its other names stand for.
        """
        return self.run(evaluate, expression, names)

    def exec(self, statements: str, **names: Any) -> Any:
        """
        Execute statements in the worker, and give what they call ``result``.
        """
        return self.run(execute, statements, names)

    def close(self) -> None:
        """
        End the process and wait until it is gone. Twice is fine.
        """
        if not self._jobs.closed:
            self._jobs.close()
            self._process.terminate()
            self._process.join(DEADLINE_S)
            self._process.kill()
            self._process.join()
            self._process.close()


def work(jobs: Connection[Any, Any]) -> None:
    """
    Do jobs until the other end closes: the main function of the worker.
    """
    while True:
        try:
            data = jobs.recv_bytes()
        except EOFError:
            return
        jobs.send_bytes(do(data))


def do(data: bytes) -> bytes:
    """
    Do one job, and give the pickled outcome; nothing of the job stays alive.
    """
    try:
        job, args, kwargs = pickle.loads(data)
        return pickle.dumps((job(*args, **kwargs), None, None))
    except BaseException as error:
        outcome = (None, error, error.__cause__)
        try:
            data = pickle.dumps(outcome)
            pickle.loads(data)
        except Exception as other:
            text = f"{type(error).__name__}: {error}, which cannot travel: {other}"
            return pickle.dumps((None, RuntimeError(text), None))
        return data


def execute(statements: str, names: dict[str, Any]) -> Any:
    """
    Execute statements, and give what they call ``result``, if anything.
    """
    space = names_for(names)
    exec(compile(statements, "<test>", "exec"), space)
    return space.get("result")


def evaluate(expression: str, names: dict[str, Any]) -> Any:
    """
    Evaluate an expression.
    """
    return eval(compile(expression, "<test>", "eval"), names_for(names))


def names_for(names: dict[str, Any]) -> dict[str, Any]:
    """
    Give the names that an expression may use.
    """
    space: dict[str, Any] = {name: importlib.import_module(name) for name in MODULES}
    space["abc"] = importlib.import_module("collections.abc")
    for module in SOURCES:
        space.update(vars(importlib.import_module(module)))
    space["np"] = importlib.import_module("numpy")
    space["pd"] = importlib.import_module("pandas")
    return {**space, **names}
