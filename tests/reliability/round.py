"""
One round: objects are shared, workers use them and are harmed, and then all is counted.
"""

from __future__ import annotations

import faulthandler
import os
import tempfile
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.processes import wait_until

from .crew import Crew
from .judge import (
    count_calls,
    count_changes,
    count_holders,
    count_items,
    missing_items,
)
from .kernel import Background, Resources, find_taken
from .ledger import read_pages
from .targets import make_targets, serve
from .totals import Totals
from .worker import read_times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from .ledger import Pages
    from .plans import Plan
    from .targets import Proxies, Targets

__all__ = ["END_S", "confine", "run_round"]

#: A round ends this many seconds after its workers stop, whatever happens.
END_S = 75.0
PERCENTILE = 0.999


def run_round(
    plan: Plan,
    make: Callable[[int], Targets] = make_targets,
    serving: Callable[[Targets], AbstractContextManager[Proxies]] = serve,
) -> Totals:
    """
    Run one round in this process, which serves.

    Args:
        plan: The round.
        make: Makes the objects for so many workers.
        serving: Shares them.

    Returns:
        What was counted.
    """
    # A spawned worker starts it, and it stays.
    resource_tracker.ensure_running()
    totals = Totals(rounds=1)
    targets = make(plan.workers)
    with (
        tempfile.TemporaryDirectory(prefix="reliability-") as folder,
        serving(targets) as proxies,
    ):
        before = Resources()
        with Background(targets, Path(folder), plan.seed) as background:
            crew = Crew(plan, proxies, Path(folder))
            crew.start()
            wait_until(lambda: False, plan.seconds)
            crew.stop()
            taken = find_taken(targets, proxies, plan.settle_s)
            crew.leave()
        # What a worker held as long as it lived, and what its end left.
        taken = find_taken(targets, proxies, plan.settle_s, taken)
        pages = read_pages(Path(folder))
        died = crew.fates.died
        wait_until(lambda: _is_settled(pages, targets, died), plan.settle_s)
        wait_until(lambda: not any(before.find_more()), plan.settle_s)
        _count_rest(crew, taken, background, before, totals)
        for name in sorted(taken):
            holding, waiting = count_holders(pages, died)
            totals.note(
                f"lock left: {name}; of the killed workers {holding} had acquired a "
                f"latch, {waiting} were about to"
            )
        count_calls(pages, totals)
        count_changes(pages, targets, totals)
        count_items(pages, targets, died, totals)
        if plan.timed:
            _count_times(Path(folder), totals)
    return totals


def confine(plan: Plan) -> None:
    """
    Let this process have the cores of a round, and end with its stacks if it hangs.
    """
    if plan.cores:
        mine = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, mine[: plan.cores])
    faulthandler.dump_traceback_later(plan.seconds + END_S, exit=True)


def _is_settled(pages: Pages, targets: Targets, died: Mapping[int, float]) -> bool:
    """
    Tell whether each item of the queue is where it should be.
    """
    # Whoever still waits for a worker that is gone gets something to give back.
    targets.items.feed()
    return not any(missing_items(pages, targets, died))


def _count_rest(
    crew: Crew,
    taken: set[str],
    background: Background,
    before: Resources,
    totals: Totals,
) -> None:
    """
    Count what is left of the round, and what became of its workers.
    """
    fates = crew.fates
    totals.kills = len(fates.died) - len(fates.hung)
    totals.locks_left += len(taken)
    totals.files_touched += len(background.touched)
    for text in background.touched:
        totals.note(f"file touched: {text}")
    if not background.checked:
        totals.files_touched += 1
        totals.note("no file was checked")
    descriptors, blocks = before.find_more()
    totals.descriptors_left = descriptors.total()
    totals.blocks_left = len(blocks)
    if descriptors or blocks:
        totals.note(f"left: {dict(descriptors)} and blocks {sorted(blocks)}")
    totals.hung = len(fates.hung) + len(fates.odd)
    for number, text in fates.hung.items():
        totals.note(f"worker {number} hung:\n{text}")
    for number, code in fates.odd.items():
        totals.note(f"worker {number} ended by itself with exit code {code}")
    if fates.hung:
        with tempfile.TemporaryFile("w+") as file:
            faulthandler.dump_traceback(file)
            file.seek(0)
            totals.note(f"the server then:\n{file.read()}")


def _count_times(folder: Path, totals: Totals) -> None:
    """
    Find out how long calls took, and how evenly workers were served.
    """
    by_worker = read_times(folder)
    times = sorted(time for some in by_worker.values() for time in some)
    if times:
        totals.p999_s = times[int(len(times) * PERCENTILE)]
        counts = [len(some) for some in by_worker.values()]
        totals.fewest, totals.most = min(counts), max(counts)
