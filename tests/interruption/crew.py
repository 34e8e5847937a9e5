"""
The processes of a run: one that is stepped through, and one in which workers die.
"""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import os
import select
import signal
import tempfile
import warnings
from typing import IO, TYPE_CHECKING, Any

from duck_jupyter.session.api import own_session
from tests.support.processes import wait_until
from tests.support.workers import Worker

from .stepping import describe, die_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from .bench import Kit
    from .operation import Operation
    from .steps import Step

#: Seconds in which a step and the calls after it have to end; they take milliseconds.
DEADLINE_S = 5.0
END_S = 1.0
#: How much of a stack is shown.
STACK_LINES = 8


class HangingError(Exception):
    """
    A job did not end in time; the message has the stack.
    """


class Stepper:
    """
    A forked worker that does jobs until one hangs; whoever makes it closes it.

    Args:
        make_kit: Gives what the worker works with, when called in the worker.
    """

    def __init__(self, make_kit: Callable[[], Kit]) -> None:
        context = multiprocessing.get_context("fork")
        self._stack: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - see close
        self._hangs = False
        self._jobs, far_end = context.Pipe()
        self._process = context.Process(
            target=work, args=(far_end, self._jobs, self._stack, make_kit), daemon=True
        )
        self._process.start()
        far_end.close()

    def run(self, job: Callable[..., Any], operation: Operation, *args: Any) -> Any:
        """
        Call ``job(operation, kit, *args)`` in the worker, and give what it returns.

        Raises:
            HangingError: It did not end in time, or the worker died; close it.
            RuntimeError: The job itself failed.
        """
        self._jobs.send((job, operation, args))
        try:
            if not self._jobs.poll(DEADLINE_S):
                self._hangs = True
                os.kill(self._process.pid or 0, signal.SIGUSR1)
                wait_until(lambda: bool(os.fstat(self._stack.fileno()).st_size), 1.0)
                raise HangingError(
                    f"it did not end within {DEADLINE_S} s: {self._where()}"
                )
            result, failure = self._jobs.recv()
        except EOFError:
            raise HangingError(f"the worker ended: {self._where()}") from None
        if failure is not None:
            raise RuntimeError(failure)
        return result

    def _where(self) -> str:
        self._stack.seek(0)
        text = self._stack.read().decode()
        _, _, current = text.rpartition("Current thread")
        lines = [line.strip() for line in (current or text).splitlines()]
        frames = [line.replace('"', "") for line in lines if line.startswith("File")]
        return " < ".join(frames[:STACK_LINES]) or "it left no stack"

    def close(self) -> None:
        """
        End the worker. Twice is fine.
        """
        if not self._jobs.closed:
            self._jobs.close()
            if not self._hangs:
                # One that owns objects removes its folder.
                self._process.join(END_S)
            self._process.kill()
            self._process.join()
            self._process.close()
            self._stack.close()


def work(
    jobs: Connection[Any, Any],
    other_end: Connection[Any, Any],
    stack: IO[bytes],
    make_kit: Callable[[], Kit],
) -> None:
    """
    Do jobs until the other end closes: the main function of the worker.
    """
    other_end.close()
    gc.collect()
    gc.freeze()
    # faulthandler's own timer cannot be used in a fork of a process that used it.
    faulthandler.register(signal.SIGUSR1, file=stack)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A socket that an interrupt left to the garbage collector is closed, too.
    warnings.simplefilter("ignore", ResourceWarning)
    kit = make_kit()
    while True:
        try:
            job, operation, args = jobs.recv()
        except EOFError:
            own_session().stop()
            return
        result = failure = None
        try:
            result = job(operation, kit, *args)
        except BaseException as error:  # the caller raises it
            failure = describe(error)
        jobs.send((result, failure))


class Nursery:
    """
    A small process whose children die at a step; whoever makes it closes it.
    """

    def __init__(self) -> None:
        self._worker = Worker()

    def kill_one(
        self, operation: Operation, kit: Kit, givens: list[Any], tag: str, step: Step
    ) -> str:
        """
        Let a new worker run an operation until it is killed at a step.

        Returns:
            How it ended: ``killed``, ``not reached``, or what went wrong.
        """
        answer: str = self._worker.run(fork_one, operation, kit, givens, tag, step)
        return answer

    def close(self) -> None:
        """
        End the process.
        """
        self._worker.close()


def fork_one(
    operation: Operation, kit: Kit, givens: list[Any], tag: str, step: Step
) -> str:
    """
    Fork a worker that dies at a step, and say how it ended.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            die_at(operation, kit, givens, tag, step)
            status = 0
        except BaseException as error:  # nothing of it may reach the parent's code
            os.write(write, describe(error).encode())
        finally:
            os._exit(status)
    os.close(write)
    end = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(end, select.POLLIN)
        in_time = bool(poll.poll(DEADLINE_S * 1000))
        if not in_time:
            os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        failure = os.read(read, 1000).decode()
    finally:
        os.close(end)
        os.close(read)
    if not in_time:
        return f"it did not end within {DEADLINE_S} s"
    if code == -signal.SIGKILL:
        return "killed"
    return "not reached" if code == 0 else f"it raised {failure}"
