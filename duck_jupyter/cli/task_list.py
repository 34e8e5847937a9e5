"""
The list of ``jupyter duck top`` that shows what pools compute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text

from ..stats.insight import shares_of
from ..stats.progress import ages_of, in_two_units, speed, time_left
from ..stats.text import (
    UNKNOWN,
    age,
    duration,
    exact,
    in_bytes,
    many,
    percent,
    with_figures,
)
from .listing import Column, Listing, foreign

if TYPE_CHECKING:
    from ..session.snapshot import Snapshot
    from ..stats.task_rows import RunRow

__all__ = ["Tasks"]

WIDE = 120
#: A run whose workers wait for this share of their time is slowed by the kernel.
MUCH_WAITING = 0.2


class Tasks(Listing):
    """
    Functions in pools, the newest first.
    """

    has_empty_tab = False
    nothing = "No tasks yet. What a pool computes is shown while it runs."
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Function", 15, keeps_end=True),
        Column("Pool", 19, from_width=WIDE),
        Column("Done", 17, is_right=True),
        Column("Failed", 6, is_right=True),
        Column("Rate", 7, is_right=True),
        Column("Left", 8, is_right=True),
        Column("Waiting", 7, is_right=True),
        Column("Each", 7, is_right=True, from_width=WIDE),
        Column("At work", 0),
    )

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._runs = snapshot.runs[::-1]
        self._unseen = [x for x in snapshot.pools if not x.seen and x.ended is None]
        self._pools = {pool.id: pool for pool in snapshot.pools}
        self.unlisted: int = snapshot.run_count - len(self._runs)
        runs = [("run", run.id) for run in self._runs]
        super().__init__([*runs, *(("pool", pool.id) for pool in self._unseen)])

    def title(self) -> Text:
        """
        Return the name with how many run, and how many tasks have failed.
        """
        running = sum(run.ended is None for run in self._runs)
        text = Text(f"Tasks {exact(running)} running" if running else "Tasks")
        if not running:
            text.append(f" {exact(len(self._runs))}")
        bad = sum(run.failed + run.lost for run in self._runs)
        return text.append(f" ✕ {exact(bad)} failed", "red") if bad else text

    def cells(self, at: int) -> list[Text]:
        """
        Return the cells of a row.
        """
        if at >= len(self._runs):
            pool = self._unseen[at - len(self._runs)]
            made = "made before %load_ext: its tasks are not counted"
            return [
                Text(UNKNOWN),
                foreign(f"{pool.kind} {exact(pool.size)}"),
                *(Text(UNKNOWN) for _ in range(6)),
                Text(made, "dim"),
            ]
        run, now = self._runs[at], self._snapshot.time
        pool_row = self._pools.get(run.pool)
        kind = f"{pool_row.kind} {exact(pool_row.size)}" if pool_row else ""
        bad, total = run.failed + run.lost, run.spent.in_all
        ages = ages_of(run, self._snapshot.workers, now)
        left = time_left(run, now, ages) if run.ended is None else None
        waiting = run.spent.waiting / total if total else 0.0
        style = "yellow" if waiting >= MUCH_WAITING else ""
        return [
            foreign(run.function),
            foreign(kind),
            Text(_done(run)),
            Text(exact(bad) if bad else "", "red"),
            Text("".join(speed(run, now)) if run.done else UNKNOWN),
            Text(UNKNOWN if left is None else in_two_units(left)),
            Text(percent(waiting), style),
            Text(duration(run.each_p50)),
            Text(_at_work(run)),
        ]

    def more(self, at: int) -> list[Text]:
        """
        Return all details of a row.
        """
        if at >= len(self._runs):
            pool = self._unseen[at - len(self._runs)]
            return [
                foreign(f"{pool.kind} of {many(pool.size, 'worker')}", "bold"),
                Text(
                    "It was made before the extension was loaded, so its tasks are not "
                    "counted. Those of a new pool are."
                ),
            ]
        run = self._runs[at]
        shares = ", ".join(
            f"{name} {percent(value)}" for name, value in shares_of(run) if value
        )
        began = age(self._snapshot.time - run.first)
        lines = [
            foreign(f"{run.function}: {_done(run)}, began {began} ago", "bold"),
            foreign(f"Its workers' time: {shares}" if shares else ""),
        ]
        if run.advice:
            lines.append(foreign(run.advice, "yellow"))
        for number, kind in ((run.cancelled, "cancelled"), (run.lost, "lost")):
            if number:
                lines.append(Text(f"{many(number, 'task')} {kind}", "red"))
        if run.failures:
            kinds = ", ".join(f"{kind} {exact(n)}" for kind, n in run.failures)
            lines.append(foreign(f"Failed: {kinds}", "red"))
        if run.slowest:
            calls = ", ".join(
                f"{run.function}({slow.arguments}) {in_two_units(slow.seconds)}"
                for slow in run.slowest
            )
            lines.append(foreign(f"Slowest: {calls}"))
        if run.handed_over:
            words = f"Handed over {many(run.handed_over, 'time')}"
            lines.append(Text(f"{words}, {in_bytes(run.not_copied)} not copied"))
        return lines


def _done(run: RunRow) -> str:
    if run.ended is None and not run.total_known:
        return f"{exact(run.done)} so far"
    return f"{exact(run.done)} / {exact(run.total)}"


def _at_work(run: RunRow) -> str:
    if run.ended is None:
        return f"{exact(run.in_hand)} of {exact(run.size)}"
    took = in_two_units(run.ended - run.first)
    return f"{took}, worth {with_figures(run.worth, 2)} of {exact(run.size)}"
