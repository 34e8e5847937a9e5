"""
A worker: threads that do operations until they are told to stop.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import random
import signal
import sys
import threading
import time
from array import array
from typing import TYPE_CHECKING, Any

from tests.support.processes import wait_until

from .alarm import CALL, OFF, RAISE
from .ledger import Ledger
from .operations import Operations, Thread

if TYPE_CHECKING:
    from pathlib import Path

    from .plans import Plan
    from .targets import Proxies

__all__ = ["BEGIN", "LEAVE", "STACKS", "STOP", "read_times", "work"]

#: Files of a round's folder: all may begin, stop, leave; a worker's stacks and times.
BEGIN = "begin"
STOP = "stop"
LEAVE = "leave"
STACKS = ".stacks"
TIMES = ".times"
BEGIN_S = 60.0
LEAVE_S = 300.0
#: Circles for each operation. With many more, a thread that collects those of all
#: others would never come back to its own call.
CIRCLES = 0.15


class Circle:
    """
    Found by the garbage collector alone, at any moment, and calls then.
    """

    def __init__(self, operations: Operations) -> None:
        self.itself = self
        self.operations = operations

    def __del__(self) -> None:
        self.operations.nested()


def work(plan: Plan, proxies: Proxies, folder: Path, number: int, slot: int) -> None:
    """
    Be a worker: the main function of its process.

    Args:
        plan: The round.
        proxies: What it uses.
        folder: That of the round.
        number: The worker's own number.
        slot: Its place among the workers.
    """
    parent = os.getppid()
    operations = [
        make_operations(plan, proxies, folder, Thread(f"{number}.{i}", slot))
        for i in range(plan.threads)
    ]
    operations[0].alarm.install()
    # An interrupt in `__del__` goes nowhere; that is Python's way, and no news. None
    # can come in a function of C.
    sys.unraisablehook = id
    with (folder / f"{number}{STACKS}").open("w") as stacks:
        faulthandler.register(signal.SIGUSR1, stacks, all_threads=True)
        others = [
            threading.Thread(target=run, args=(plan, one, folder), daemon=True)
            for one in operations[1:]
        ]
        for other in others:
            other.start()
        run(plan, operations[0], folder)
        for other in others:
            other.join()
        # Whatever calls when it is collected does so before the last line.
        gc.collect()
        operations[0].idle()
        leave = folder / LEAVE
        wait_until(lambda: leave.exists() or os.getppid() != parent, LEAVE_S)
        faulthandler.unregister(signal.SIGUSR1)


def make_operations(
    plan: Plan, proxies: Proxies, folder: Path, thread: Thread
) -> Operations:
    """
    Make the operations of a thread, with its ledger.
    """
    chosen = random.Random(f"{plan.seed} {thread.name}")
    ledger = Ledger(folder, thread.name)
    sizes = plan.least, plan.largest
    return Operations(thread, proxies, ledger, chosen, sizes)


def run(plan: Plan, operations: Operations, folder: Path) -> None:
    """
    Do operations of one thread, until the file is there that says stop.
    """
    stop = folder / STOP
    kinds, weights = list(plan.weights), list(plan.weights.values())
    times = array("d")
    is_main = threading.current_thread() is threading.main_thread()
    if plan.collect_after:
        gc.set_threshold(plan.collect_after, 5, 5)
    operations.ready()
    begin = folder / BEGIN
    wait_until(lambda: begin.exists() or stop.exists(), BEGIN_S)
    while not stop.exists():
        if plan.collect_after and operations.chosen.random() < CIRCLES:
            Circle(operations)
        mode = OFF
        if is_main:
            modes = plan.raising, plan.calling, 1 - plan.raising - plan.calling
            (mode,) = operations.chosen.choices((RAISE, CALL, OFF), modes)
        (kind,) = operations.chosen.choices(kinds, weights)
        began = time.perf_counter()
        operations.do(kind, mode)
        if plan.timed:
            times.append(time.perf_counter() - began)
    if plan.timed:
        (folder / f"{operations.thread.name}{TIMES}").write_bytes(times.tobytes())
    if not is_main:
        operations.idle()


def read_times(folder: Path) -> dict[int, array[Any]]:
    """
    Give the times of calls by the worker's number, in seconds.
    """
    found: dict[int, array[Any]] = {}
    for path in folder.glob(f"*{TIMES}"):
        worker = int(path.name.partition(".")[0])
        found.setdefault(worker, array("d")).frombytes(path.read_bytes())
    return found
