"""
Functions of cells in pools: ``python -m tests.benchmarks.pools [--quick] [--json]``.

All of it runs in a real kernel. The peer is the same pool without the extension, or
loky.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import NamedTuple

from tests.magics.kernels import Kernel
from tests.support.processes import ROOT

from .command import run
from .table import Row, not_above, within

__all__ = ["main"]

PREPARE = """
%load_ext duck_jupyter
import numpy as np
from contextlib import ExitStack
from multiprocessing.reduction import ForkingPickler
from duck_jupyter.pools.cells import Sent
from duck_jupyter.pools.install import install, uninstall
from tests.benchmarks import poolcells
from tests.benchmarks.taskcost import in_kernel_us, in_worker_us, seen_and_unseen
from tests.benchmarks.poolcells import by_turns, empty, maps, one_ms, read_inherited

def cell(item):
    pass
def pair(kind, work, count, runs, peer_kind=None, peer_work=None):
    peer_kind, peer_work = peer_kind or kind, peer_work or work
    with ExitStack() as stack:
        install()
        ours = maps(stack, kind)
        ours(work, 4)
        uninstall()
        theirs = maps(stack, peer_kind)
        theirs(peer_work, 4)
        found = by_turns(
            runs,
            (install, lambda: ours(work, count)),
            (uninstall, lambda: theirs(peer_work, count)),
        )
        install()
        return found
"""
LARGE = """
frame = np.arange({size} // 8, dtype=float)
def mention(i):
    return frame[i]
sent = len(ForkingPickler.dumps(Sent(mention)))
"""


class Size(NamedTuple):
    """
    How much is measured.
    """

    tasks: int
    runs: int
    large: int


FULL = Size(1000, 5, 1 << 28)
QUICK = Size(20, 1, 1 << 21)


class Pair(NamedTuple):
    """
    One row: what is mapped by our pool and by the peer's.
    """

    measure: str
    times: float
    kind: str
    work: str
    peer_kind: str = ""
    peer_work: str = ""
    factor: int = 1


PAIRS = [
    Pair(
        "empty tasks of a cell, spawn, to an importable one",
        1.3,
        "executor spawn",
        "cell",
        peer_work="empty",
    ),
    Pair("empty tasks, importable", 1.1, "executor spawn", "empty"),
    Pair("tasks of 1 ms, importable", 1.01, "executor spawn", "one_ms"),
    Pair("Pool.map, its own chunks", 1.03, "pool spawn", "empty", factor=100),
    Pair("joblib", 1.03, "joblib", "empty"),
    Pair("empty tasks of a cell, to loky", 1 / 1.2, "executor spawn", "cell", "loky"),
]


#: The same pool, its tasks seen to unseen.
SEEN = [
    ("executor fork", 1.05, 1),
    ("pool fork", 1.02, 100),
    ("joblib", 1.02, 1),
]


#: A map of these takes milliseconds, so it is timed this many times as often.
QUICK_KINDS = {"pool": 8, "joblib": 8}


def turns_of(kind: str, runs: int) -> int:
    """
    Return how often a map is timed.
    """
    return runs * QUICK_KINDS.get(kind.split()[0], 1)


def measure(size: Size) -> list[Row]:
    """
    Measure all.
    """
    rows = []
    with Kernel() as kernel:
        kernel.run(PREPARE)
        for pair in PAIRS:
            count = size.tasks * pair.factor
            turns = turns_of(pair.kind, size.runs)
            words = f"{pair.kind!r}, {pair.work}, {count}, {turns}"
            peer = f"{pair.peer_kind or None!r}, {pair.peer_work or None}"
            ours, theirs = kernel.value(f"pair({words}, {peer})")
            per = 1e6 / count
            rows.append(
                within(pair.measure, "us", per * ours, per * theirs, pair.times)
            )
        for kind, times, factor in SEEN:
            count = size.tasks * factor
            words = f"{kind!r}, empty, {count}, {turns_of(kind, 2 * size.runs)}"
            seen, unseen = kernel.value(f"seen_and_unseen({words})")
            name = f"{kind.split()[0]}, empty tasks seen, to unseen"
            per = 1e6 / count
            rows.append(within(name, "us", per * seen, per * unseen, times))
        for where, most in (("worker", 3), ("kernel", 5)):
            cost = kernel.value(f"in_{where}_us({size.runs})")
            name = f"seeing a task, in the {where}"
            rows.append(not_above(name, "us of CPU", cost, most))
        kernel.run(LARGE.format(size=size.large))
        sent = kernel.value("sent")
        rows.append(
            not_above(
                "bytes of a task that mentions a large array", "kB", sent / 1e3, 10
            )
        )
        ours, theirs = kernel.value(
            f"read_inherited({size.runs}, mention, {size.tasks}, install, uninstall)"
        )
        per = 1e6 / size.tasks
        rows.append(
            within("the same, fork, inherited", "us", per * ours, per * theirs, 1.1)
        )
    rows.append(
        not_above("imports of ours in a worker", "ms of CPU", imports_ms(size.runs), 40)
    )
    return rows


def imports_ms(runs: int) -> float:
    """
    Measure what a worker imports that runs a function of a cell, in milliseconds.
    """
    code = (
        "import multiprocessing.process, pickle, time\n"
        "began = time.process_time()\n"
        "import duck_jupyter.pools.worker, duck_jupyter.pools.returning\n"
        "print(time.process_time() - began)\n"
    )
    times: list[float] = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
        )
        times.append(float(done.stdout))
    return 1e3 * statistics.median(times)


def main() -> None:
    """
    Do as the command line says.
    """
    run("pools", "What functions of cells take in pools.", (FULL, QUICK), measure)


if __name__ == "__main__":
    main()
