"""
PoolKernel: a kernel with the extension, whose cells are looked at as a front end does.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.magics.cells import uncoloured
from tests.magics.kernels import DEADLINE_S, Kernel, close_loop

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["METHODS", "POOLS", "WAYS", "PoolKernel", "Ran"]

METHODS = ["fork", "forkserver", "spawn"]
POOLS = ["executor", "Pool", "loky"]

#: Seconds after an Interrupt from which on a cell is taken for stuck.
STUCK_S = 8.0
#: How each kind of pool is made, and a map of it.
SETUP = """
import faulthandler, logging, multiprocessing, os, signal, sys
import threading, time, warnings
import concurrent.futures, loky, joblib
from tests.support import poolwork as work

# Writes all stacks where the test prints what the kernel wrote.
faulthandler.register(signal.SIGUSR1, sys.__stderr__)
pools = []

def make(kind, method, workers=2, *words):
    context = multiprocessing.get_context(method)
    if kind == "executor":
        pool = concurrent.futures.ProcessPoolExecutor(workers, context, *words)
    elif kind == "Pool":
        pool = context.Pool(workers, *words)
    else:
        pool = loky.ProcessPoolExecutor(workers)
    pools.append(pool)
    return pool

def end(pool):
    if hasattr(pool, "terminate"):
        pool.terminate()
        pool.join()
    else:
        pool.shutdown()

def submit(pool, *words):
    if hasattr(pool, "submit"):
        return pool.submit(*words)
    return pool.apply_async(words[0], words[1:])

def result(task):
    return task.result(20) if hasattr(task, "result") else task.get(20)
"""


class Ran(NamedTuple):
    """
    What a cell did.

    Attributes:
        text: What was printed under it.
        error: The error as it is shown, without colours, or "".
        shown: The data of display messages.
        updates: The data of updates of displays.
        took: Seconds it ran; where it was interrupted, from then on.
    """

    text: str
    error: str
    shown: list[dict[str, Any]]
    updates: list[dict[str, Any]]
    took: float


class PoolKernel(Kernel):
    """
    A kernel in which the extension is loaded, with `make`, `end`, `submit`, `result`.
    """

    def __init__(self) -> None:
        super().__init__()
        #: What was printed under other cells than the one that ran.
        self.elsewhere: list[str] = []
        ran = self.cell("%load_ext duck_jupyter\n" + SETUP)
        assert not ran.error, ran.error

    def start_helpers(self) -> None:
        """
        Start the processes that Python keeps until the kernel ends.
        """
        # An Interrupt ends a fork server that still starts: it runs once it has forked.
        ran = self.cell(
            "import multiprocessing.resource_tracker\n"
            "import loky.backend.resource_tracker\n"
            "import joblib.externals.loky.backend.resource_tracker as tracker\n"
            "tracker.ensure_running()\n"
            "multiprocessing.resource_tracker.ensure_running()\n"
            "loky.backend.resource_tracker.ensure_running()\n"
            "forkserver = multiprocessing.get_context('forkserver')\n"
            "task = forkserver.Process(target=abs, args=[1])\n"
            "task.start(); task.join()\n"
        )
        assert not ran.error, ran.error

    def pid(self) -> int:
        """
        Give the number of the kernel's process.
        """
        provisioner: Any = self.manager.provisioner
        return int(provisioner.pid)

    def cell(
        self,
        code: str,
        *,
        interrupt_at: str = "",
        interrupt: Callable[[], object] | None = None,
    ) -> Ran:
        """
        Run a cell to its end.

        Args:
            code: The cell.
            interrupt_at: Interrupt it once it has printed this.
            interrupt: How; by default as the button does.
        """
        begun, told, stuck = time.monotonic(), False, False
        texts: list[str] = []
        errors: list[str] = []
        shown: list[dict[str, Any]] = []
        updates: list[dict[str, Any]] = []
        number = self.client.execute(code, allow_stdin=False)
        end = begun + DEADLINE_S
        while time.monotonic() < end:
            if interrupt_at and interrupt_at in "".join(texts) and not told:
                told, begun = True, time.monotonic()
                (interrupt or self.manager.interrupt_kernel)()
            if told and time.monotonic() > begun + STUCK_S and not stuck:
                stuck = True
                self.dump()
            try:
                message = self.client.get_iopub_msg(timeout=0.2)
            except queue.Empty:
                continue
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != number:
                if kind == "stream":
                    self.elsewhere.append(content["text"])
                continue
            if kind == "stream":
                texts.append(content["text"])
            elif kind == "error":
                errors.append(uncoloured("\n".join(content["traceback"])))
            elif kind in {"display_data", "execute_result"}:
                shown.append(content["data"])
            elif kind == "update_display_data":
                updates.append(content["data"])
            elif kind == "status" and content["execution_state"] == "idle":
                took = time.monotonic() - begun
                self._await_reply(number, code)
                text, error = "".join(texts), "\n".join(errors)
                return Ran(text, error, shown, updates, took)
        self.dump()
        raise AssertionError(f"the cell did not end: {code}\n{''.join(texts)}")

    def dump(self) -> None:
        """
        Let the kernel write the stacks of its threads: it does not go on.
        """
        os.kill(self.pid(), signal.SIGUSR1)

    def _await_reply(self, number: str, code: str) -> None:
        """
        Wait for the reply to a cell, as front ends do before they run the next one.

        In ipykernel 7.0 to 7.3, and Python 3.10 has none newer, a kernel never reads a
        request that arrives while it sends a reply, and it may send the reply after it
        has said that it is idle: https://github.com/ipython/ipykernel/pull/1529.
        """
        end = time.monotonic() + DEADLINE_S
        while (left := end - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                reply = self.client.get_shell_msg(timeout=left)
                if reply["parent_header"].get("msg_id") == number:
                    return
        raise AssertionError(f"the cell got no reply: {code}")

    def signal(self) -> None:
        """
        Interrupt the kernel alone, and none of its workers.
        """
        os.kill(self.pid(), signal.SIGINT)

    def request_interrupt(self) -> None:
        """
        Interrupt by a message, as front ends do that did not start the kernel.
        """
        session, channel = self.client.session, self.client.control_channel
        channel.send(session.msg("interrupt_request", content={}))

    def end(self, *, now: bool = False) -> None:
        """
        Shut the kernel down; again is fine.
        """
        super().end(now=now)
        close_loop()


#: How a cell is interrupted.
WAYS: dict[str, Callable[[PoolKernel], object]] = {
    "group": lambda kernel: kernel.manager.interrupt_kernel(),
    "kernel alone": lambda kernel: kernel.signal(),
    "message": lambda kernel: kernel.request_interrupt(),
}
