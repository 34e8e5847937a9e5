"""
The code of cells: what notebooks of these tests share, and how their workers call it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .notebook import Gate

__all__ = [
    *("BUFSIZE", "DIG", "LOAD", "MONITOR"),
    *("call_until", "compute_until", "hold", "in_pool", "send", "wait_for"),
]

#: Bytes of a buffer, for all notebooks here.
BUFSIZE = 4096

#: Load, and share three objects, one of which nobody calls.
LOAD = f"""
%load_ext duck_jupyter
%config DuckJupyter.bufsize = {BUFSIZE}
import os, threading, multiprocessing
from duck_jupyter import LimitedProxyChaining
fork = multiprocessing.get_context("fork")

class Box:
    def take(self, load=b""):
        return len(load)
    @property
    def deeper(self):
        return Box()

def run_workers(work, *args, count=1):
    workers = [fork.Process(target=work, args=args) for _ in range(count)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()

box, results, spare = Box(), {{}}, []
%share box results spare
"""
MONITOR = "%duck monitor"
#: A worker goes one proxy too deep.
DIG = """
def dig(box):
    try:
        while True:
            box = box.deeper
    except LimitedProxyChaining:
        pass
run_workers(dig, shared.box)
"""


def wait_for(gate: Gate) -> str:
    """
    Run until the gate is open, and let other threads run.
    """
    return f"while not os.path.exists({gate}): threading.Event().wait(0.01)"


def call_until(gate: Gate, workers: int = 2) -> str:
    """
    Let workers call all the time, until the gate is open.
    """
    return f"""
def call(box, results):
    while not os.path.exists({gate}):
        box.take()
        results["calls"] = 1
run_workers(call, shared.box, shared.results, count={workers})
"""


def hold(count: int, gate: Gate) -> str:
    """
    Let a worker hold so many objects of one path and call, until the gate is open.
    """
    return f"""
def keep(box, results):
    held = [box.deeper.deeper for _ in range({count})]
    while not os.path.exists({gate}):
        held[0].take()
        results["calls"] = 1
        threading.Event().wait(0.01)
run_workers(keep, shared.box, shared.results)
"""


def send(size: int, gate: Gate | None = None) -> str:
    """
    Let a worker send so many bytes once, and perhaps run until the gate is open.
    """
    code = f"run_workers(lambda box: box.take(bytes({size})), shared.box)"
    return code if gate is None else f"{code}\n{wait_for(gate)}"


def in_pool(function: str, tasks: int = 5000) -> str:
    """
    Let two workers of an executor run a function that is named.
    """
    return f"""
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(2, mp_context=fork) as pool:
    done = [task.exception() for task in
            [pool.submit({function}, number) for number in range({tasks})]]
"""


def compute_until(gate: Gate) -> str:
    """
    Let tasks be short, until the gate is open; then they are nothing.
    """
    return f"""
def score(number):
    if not os.path.exists({gate}):
        threading.Event().wait(0.02)
{in_pool("score")}
"""
