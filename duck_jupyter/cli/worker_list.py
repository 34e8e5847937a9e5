"""
The list of ``jupyter duck top`` that shows workers, also those of other hosts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text

from ..stats.text import (
    UNKNOWN,
    age,
    exact,
    in_bytes,
    limited_bytes,
    many,
    percent,
    rate,
    total,
)
from ..stats.words import cluster_doing
from .listing import Column, Listing, foreign

if TYPE_CHECKING:
    from ..session.snapshot import Snapshot
    from ..stats.worker_rows import EndedRow, WorkerRow
    from .rates import Window

__all__ = ["Workers"]

WIDE = 120
#: A worker that waits this share of its time is delayed by the kernel.
MUCH_WAITING = 0.5
BAD_ENDS = ("failed", "killed")
#: The ways in words.
WAYS = {
    "lane": "shared memory",
    "direct": "a connection to the kernel",
    "relay": "the scheduler of the cluster",
}


class Workers(Listing):
    """
    The workers, and those that were connected.
    """

    nothing = "No worker is connected, and none has ended."
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Worker", 7, is_right=True),
        Column("Process", 17, keeps_end=True),
        Column("Calls/s", 7, is_right=True),
        Column("Calls", 6, is_right=True, from_width=WIDE),
        Column("Waiting", 7, is_right=True),
        Column("Memory", 7, is_right=True),
        Column("Calling", 0),
    )

    def __init__(self, snapshot: Snapshot, window: Window) -> None:
        self._window = window
        self._time = snapshot.time
        #: The last one to end is first.
        self._ended = snapshot.ended[::-1]
        self._workers = snapshot.workers
        self._connected = len(snapshot.workers)
        self._bad = sum(end.how in BAD_ENDS for end in snapshot.ended)
        keys = [(row.pid, row.since) for row in self._workers]
        super().__init__([*keys, *((row.pid, row.since) for row in self._ended)])

    def title(self) -> Text:
        """
        Return the name of the list.
        """
        text = Text(f"Workers {exact(self._connected)}")
        return text.append(f" ✕ {exact(self._bad)} lost", "red") if self._bad else text

    def first(self, workers: int, ended: int) -> list[int]:
        """
        Return the numbers of the first rows of both kinds.

        Args:
            workers: At most so many of workers.
            ended: At most so many of those that have ended.
        """
        last = min(self._connected + ended, len(self.keys))
        return [*range(min(self._connected, workers)), *range(self._connected, last)]

    def cells(self, at: int) -> list[Text]:
        """
        Return the cells of a row.
        """
        if at >= self._connected:
            end = self._ended[at - self._connected]
            style = "red" if end.how in BAD_ENDS else "dim"
            return [
                Text(_pid_in(end), style),
                foreign(end.name, style),
                *(Text(""), Text(total(end.calls), style), Text(""), Text("")),
                foreign(end.words, style),
            ]
        row = self._workers[at]
        waiting = self._window.waiting_of(row.pid)
        much = waiting is not None and waiting >= MUCH_WAITING
        doing = ", ".join(row.calling)
        if row.cluster is not None:
            doing = doing or cluster_doing(row.cluster)
            # Other workers have one way: lanes.
            doing = " · ".join(filter(None, (row.way, doing)))
        is_near = row.cluster is not None and row.cluster.is_near_limit
        return [
            Text(_pid_in(row)),
            foreign(row.name),
            Text(rate(self._window.calls_from(row.pid))),
            Text(total(row.calls)),
            Text(percent(waiting), "yellow" if much else ""),
            Text(in_bytes(row.memory), "yellow" if is_near else ""),
            foreign(doing),
        ]

    def more(self, at: int) -> list[Text]:
        """
        Return all details of a worker.
        """
        if at >= self._connected:
            end = self._ended[at - self._connected]
            ago, lasted = age(self._time - end.ended), age(end.ended - end.since)
            calls = many(end.calls, "call")
            return [
                foreign(f"{_pid_in(end)} {end.name}", "bold"),
                foreign(f"{end.words} {ago} ago, after {lasted}; {calls}"),
            ]
        row = self._workers[at]
        since, threads = age(self._time - row.since), many(row.threads, "thread")
        moved = f"{in_bytes(row.bytes_in)} to the kernel, {in_bytes(row.bytes_out)}"
        lines = [
            foreign(f"{_pid_in(row)} {row.name}", "bold"),
            Text(f"Connected for {since}, with {threads}"),
            Text(f"{many(row.calls, 'call')}; {moved} from it"),
        ]
        if row.cluster is not None:
            lines += _of_cluster(row)
        if row.calling:
            lines.append(foreign(f"Calls now: {', '.join(row.calling)}"))
        return lines


def _of_cluster(row: WorkerRow) -> list[Text]:
    """
    Return the details of a worker of a cluster, or of another host.
    """
    facts = row.cluster
    assert facts is not None
    lines = []
    if row.way is not None:
        lines.append(Text(f"Its calls go by {WAYS[row.way]}"))
    doing = cluster_doing(facts)
    if doing or facts.memory is not None:
        memory = limited_bytes(facts.memory, facts.memory_limit)
        lines.append(
            foreign(f"Its cluster says: {doing or UNKNOWN}; {memory} resident")
        )
    return lines


def _pid_in(row: WorkerRow | EndedRow) -> str:
    return UNKNOWN if row.own_pid is None else str(row.own_pid)
