"""
What the monitor takes: ``python -m tests.benchmarks.monitor [--quick] [--json]``.

A real kernel serves; its front end looks, or does not. A row that does not hold is no
failure of the run: it says so in the table.
"""

from __future__ import annotations

import pickle
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.magics.kernels import Kernel
from tests.monitor.fronts import Front

from . import workloads
from .command import run
from .crowd import crowd_of
from .measures import together
from .monitorcost import measure_cost
from .station import Station
from .table import Row, not_above

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

CLIENTS = 2
WARM_S = 0.2
LOAD = """
%load_ext duck_jupyter
from tests.benchmarks.workloads import Target
target = Target()
%share target
"""
MANY = """
from duck_jupyter import share
many = [share(Target(), name=f"target_{{i}}") for i in range({objects})]
"""
LOOK = """
import time
from duck_jupyter.magics.extension import _hub
began = time.thread_time()
found = _hub.ticker.look()
took = time.thread_time() - began
"""
#: Of many objects, those that are called again and again.
FEW = 10


#: The monitor's, and those of the kernel that send for it; all but the server's.
OTHER_THREADS = """[
    thread.native_id for thread in __import__("threading").enumerate()
    if not thread.name.startswith("duck-server")
]"""


class Size(NamedTuple):
    """
    How often, and how many.
    """

    #: For the threads' time, and the seconds of each.
    rounds: int
    round_s: float
    #: Seconds of each load for the cost of pictures.
    load_s: float
    calls: int
    objects: int
    workers: int
    looks: int


FULL = Size(
    rounds=10,
    round_s=1.0,
    load_s=240.0,
    calls=60,
    objects=1000,
    workers=50,
    looks=25,
)
QUICK = Size(rounds=1, round_s=0.3, load_s=3.0, calls=3, objects=50, workers=3, looks=5)


def proxy_in(kernel: Kernel) -> Any:
    """
    Take the proxy of the target out of a kernel.
    """
    text = kernel.value("__import__('pickle').dumps(shared.target).hex()")
    return pickle.loads(bytes.fromhex(text))


def measure_threads(
    front: Front, clients: Sequence[Station], target: Any, size: Size
) -> list[Row]:
    """
    Measure the processor time of the monitor's threads while clients read.

    It leaves out what the server loses while it hands the interpreter over.
    """
    together(clients, workloads.count_reads, target, WARM_S)
    taken: dict[str, list[float]] = {"visible": [], "hidden": []}
    for _ in range(size.rounds):
        for when, found in taken.items():
            if when == "visible":
                front.ask("duck_watch", viewer="benchmark", quiet=True)
                front.tick()
            threads = front.kernel.value(OTHER_THREADS)
            before, began = seconds_of(front.pid, threads), time.monotonic()
            together(clients, workloads.count_reads, target, size.round_s)
            after = seconds_of(front.pid, threads)
            used = sum(after[each] - before[each] for each in after)
            found.append(used / (time.monotonic() - began))
            front.ask("duck_unwatch", viewer="benchmark")
            front.drain()
    who = f"{len(clients)} clients that read"
    share, none = (100 * statistics.median(found) for found in taken.values())
    return [
        Row(f"monitor's threads, {who}", "% of a core", share),
        Row(f"the same threads, nobody looks, {who}", "% of a core", none),
    ]


def seconds_of(pid: int, threads: Sequence[int]) -> dict[int, float]:
    """
    Tell the processor time in seconds of those of some threads that have not ended.
    """
    found = {}
    for thread in threads:
        with suppress(OSError):
            text = Path(f"/proc/{pid}/task/{thread}/schedstat").read_text()
            found[thread] = int(text.split()[0]) / 1e9
    return found


def measure_delay(front: Front, client: Station, target: Any, size: Size) -> list[Row]:
    """
    Measure from a call in a worker to the tick that has it, while a cell runs.
    """
    delays = []
    gets = 0

    def is_newer(tick: dict[str, Any]) -> bool:
        return bool(tick["totals"]["gets"] > gets)

    pause = threading.Event()
    with tempfile.TemporaryDirectory() as folder, front.busy(Path(folder)):
        front.ask("duck_watch", viewer="benchmark", quiet=True)
        gets = front.tick()["totals"]["gets"]
        for i in range(size.calls):
            # At all moments between two ticks.
            pause.wait(0.3 * i / size.calls)
            client.run(workloads.read_once, target)
            called = time.monotonic()
            gets = front.tick(is_newer)["totals"]["gets"]
            delays.append(time.monotonic() - called)
        front.ask("duck_unwatch", viewer="benchmark")
    delays.sort()
    p95 = 1e3 * delays[int(0.95 * (len(delays) - 1))]
    return [not_above("from a call to its tick, a cell running, p95", "ms", p95, 500)]


def measure_many(front: Front, target: Any, size: Size) -> list[Row]:
    """
    Measure looks at many objects and many workers, and how often there is one.
    """
    kernel = front.kernel
    kernel.run(MANY.format(objects=size.objects - 1))
    text = kernel.value("__import__('pickle').dumps(many).hex()")
    targets = pickle.loads(bytes.fromhex(text))
    with crowd_of(size.workers - 1, target), Station("caller") as caller:
        caller.run(workloads.read_all, targets)
        kernel.run(LOOK)
        objects, workers = kernel.value("[found.object_count, len(found.workers)]")
        rows = []
        for called, words in ((targets[:FEW], f"{FEW} of them"), (targets, "all")):
            what = f"{objects:,} objects, {workers} workers, {words} called"
            times, pauses = [], []
            for _ in range(size.looks):
                caller.run(workloads.read_all, called)
                kernel.run(LOOK)
                times.append(kernel.value("took"))
            front.ask("duck_watch", viewer="benchmark", quiet=True)
            before = front.tick()["time"]
            for _ in range(size.looks):
                caller.run(workloads.read_all, called)
                tick = front.tick()["time"]
                pauses.append(tick - before)
                before = tick
            front.ask("duck_unwatch", viewer="benchmark")
            rows += [
                Row(f"one look, {what}", "ms", 1e3 * statistics.median(times)),
                Row(
                    f"from picture to picture, {what}",
                    "ms",
                    1e3 * statistics.median(pauses),
                ),
            ]
    return rows


def measure(size: Size) -> list[Row]:
    """
    Measure with a kernel and its clients at hand.
    """
    with ExitStack() as stack:
        kernel = stack.enter_context(Kernel())
        kernel.run(LOAD)
        front = Front(kernel)
        clients = [stack.enter_context(Station(f"client-{i}")) for i in range(CLIENTS)]
        target = proxy_in(kernel)
        rows = [
            *measure_threads(front, clients, target, size),
            *measure_delay(front, clients[0], target, size),
        ]
        for client in clients:
            client.close()
        return [
            *measure_cost(front, target, size.load_s),
            *rows,
            *measure_many(front, target, size),
        ]


def main() -> None:
    """
    Measure, and print the table.
    """
    what = "Measure what the live monitor takes."
    run("monitor", what, (FULL, QUICK), measure)


if __name__ == "__main__":
    main()
