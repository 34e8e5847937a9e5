"""
``python -m tests.pools.interrupt_search [--seconds N] [--seed S]``.

It searches for Interrupts that harm a pool. One cell after another uses a pool without
end, and gets an Interrupt at a random moment, in one of three ways. After each of them
every pool of the notebook must take a task.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from .kernels import METHODS, WAYS, PoolKernel

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["end", "prepare", "rounds", "try_round"]

#: The longest pause before an Interrupt, and how long a cell may take to end then.
PAUSE_S = 0.4
END_S = 4.0
PREPARE = """
import itertools
from concurrent.futures import ProcessPoolExecutor, as_completed, wait
from multiprocessing import get_context

def fast(i): return i + 1
def slow(i): time.sleep(0.02); return i + 1
def large(i): return bytes(300_000)
executors = {m: make('executor', m) for m in ('fork', 'spawn', 'forkserver')}
mp_pools = {m: make('Pool', m) for m in ('fork', 'spawn', 'forkserver')}
loky_pool = make('loky', None)
"""
CHECK = """
print([result(submit(pool, fast, 1)) for pool in pools],
      sum(joblib.Parallel(2)(joblib.delayed(fast)(i) for i in range(5))))
"""
RIGHT = f"{[2] * 7} 15\n"
#: Those that joblib keeps for the next call.
END = "joblib.externals.loky.get_reusable_executor().shutdown(kill_workers=True)"
#: What cells do. METHOD and FUNCTION stand for those that are chosen.
USES = {
    "imap": "for _ in mp_pools[METHOD].imap(FUNCTION, itertools.count(), 5): pass",
    "imap_unordered": (
        "for _ in mp_pools[METHOD].imap_unordered(FUNCTION, itertools.count()): pass"
    ),
    "map": "while True: mp_pools[METHOD].map(FUNCTION, range(200))",
    "map_async": "while True: mp_pools[METHOD].map_async(FUNCTION, range(50)).get(20)",
    "apply": "while True: mp_pools[METHOD].apply(FUNCTION, (1,))",
    "starmap": "while True: mp_pools[METHOD].starmap(FUNCTION, zip(range(9)))",
    "executor": "while True: list(executors[METHOD].map(FUNCTION, range(9)))",
    "submit": "while True: executors[METHOD].submit(FUNCTION, 1).result()",
    "as_completed": """
while True:
    tasks = [executors[METHOD].submit(FUNCTION, i) for i in range(40)]
    for task in as_completed(tasks):
        task.result()
""",
    "wait": (
        "while True: wait([executors[METHOD].submit(FUNCTION, i) for i in range(40)])"
    ),
    "callbacks": """
while True:
    tasks = [executors[METHOD].submit(FUNCTION, i) for i in range(20)]
    for task in tasks:
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
    tasks[-1].result()
""",
    "loky": "while True: list(loky_pool.map(FUNCTION, range(50)))",
    "joblib": """
while True:
    joblib.Parallel(2)(joblib.delayed(FUNCTION)(i) for i in range(50))
""",
    "joblib multiprocessing": """
while True:
    joblib.Parallel(2, "multiprocessing")(joblib.delayed(FUNCTION)(i) for i in range(9))
""",
    "new pool": """
while True:
    with get_context(METHOD).Pool(2) as pool: pool.map(FUNCTION, range(20))
""",
    "new executor": """
while True:
    with ProcessPoolExecutor(2, get_context(METHOD)) as pool:
        list(pool.map(FUNCTION, range(20)))
""",
    "queue": """
queue = get_context(METHOD).Queue()
while True: queue.put(1); queue.get()
""",
}


class Round(NamedTuple):
    """
    What is done in one round.
    """

    use: str
    method: str
    function: str
    way: str
    pause_s: float

    @property
    def code(self) -> str:
        """
        The cell.
        """
        code = USES[self.use].replace("METHOD", repr(self.method))
        return code.strip("\n").replace("FUNCTION", self.function)


def rounds(seed: int) -> Iterator[Round]:
    """
    Choose rounds at random, without end.
    """
    chance = random.Random(seed)
    while True:
        yield Round(
            chance.choice(list(USES)),
            chance.choice(METHODS),
            chance.choice(["fast", "slow", "large"]),
            chance.choice(list(WAYS)),
            chance.random() ** 2 * PAUSE_S,
        )


def prepare(kernel: PoolKernel) -> None:
    """
    Make the pools.
    """
    _run(kernel, PREPARE)


def end(kernel: PoolKernel) -> None:
    """
    End the workers that no pool of the kernel's list has.
    """
    _run(kernel, END)


def _run(kernel: PoolKernel, code: str) -> None:
    ran = kernel.cell(code)
    assert not ran.error, ran.error


def try_round(kernel: PoolKernel, chosen: Round) -> None:
    """
    Run and interrupt a cell, and use all pools.

    Raises:
        AssertionError: The cell did not end with KeyboardInterrupt, or in time; or a
            pool does not go on.
    """

    def interrupt() -> None:
        threading.Event().wait(chosen.pause_s)
        WAYS[chosen.way](kernel)

    ran = kernel.cell(
        f"print('at work', flush=True)\n{chosen.code}",
        interrupt_at="at work",
        interrupt=interrupt,
    )
    # IPython shows it in short where it is interrupted while it shows another one.
    assert "KeyboardInterrupt" in ran.error + ran.text, (chosen, ran)
    assert ran.took < END_S + chosen.pause_s, (chosen, ran)
    checked = kernel.cell(CHECK)
    assert (checked.text, checked.error) == (RIGHT, ""), (chosen, ran, checked)


def main() -> None:
    """
    Search as the command line says.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.pools.interrupt_search",
        description="Interrupt cells that use pools, at random moments.",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long in all")
    parser.add_argument("--seed", type=int, default=1, help="what is chosen at random")
    options = parser.parse_args()
    last, number = time.monotonic() + options.seconds, 0
    chosen = rounds(options.seed)
    with PoolKernel() as kernel:
        kernel.start_helpers()
        prepare(kernel)
        while time.monotonic() < last:
            try_round(kernel, next(chosen))
            number += 1
        end(kernel)
    sys.stdout.write(f"{number} Interrupts harmed no pool.\n")


if __name__ == "__main__":
    main()
