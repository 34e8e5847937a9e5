"""
Snapshot: a session at one moment, as every monitor gets it.

``labextension/src/snapshot.ts`` is the same in TypeScript, and both are checked against
``tests/data/snapshot.json``. Times are seconds since the epoch, sizes are bytes, and
None is what is not known.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ..stats.rows import (
    ChainRow,
    ErrorRow,
    MemoryRow,
    ObjectRow,
    Totals,
)
from ..stats.task_rows import PoolRow, RunRow, TaskRow
from ..stats.worker_rows import ClusterRow, EndedRow, WorkerRow

__all__ = [
    "SCHEMA",
    "Cell",
    "KernelRow",
    "Snapshot",
    "as_plain",
    "merge",
    "tick_between",
]

SCHEMA: Literal[1] = 1


class KernelRow(msgspec.Struct, frozen=True):
    """
    The process that shares.
    """

    pid: int
    python: str
    #: Random, once for each process.
    session: str


class Cell(msgspec.Struct, frozen=True):
    """
    What the notebook's main thread does.
    """

    running: bool
    #: The cell's number, In [number].
    number: int | None


class Snapshot(msgspec.Struct, frozen=True):
    """
    A session at one moment; a tick where it is not whole.
    """

    schema: Literal[1]
    seq: int
    #: A tick has of the objects those that changed since the one before, and None for
    #: errors and chains that did not change.
    whole: bool
    time: float
    since: float | None
    #: ``"empty"`` where nothing is shared, ``"stopped"`` where its server has ended.
    state: Literal["serving", "empty", "stopped"]
    kernel: KernelRow
    cell: Cell
    busy_delay: float | None
    totals: Totals
    objects: list[ObjectRow]
    #: Numbers of objects that went since the snapshot before.
    gone: list[int]
    object_count: int
    workers: list[WorkerRow]
    ended: list[EndedRow]
    errors: list[ErrorRow] | None
    error_count: int
    #: How many kinds of error there were; `errors` has the newest of them.
    error_kinds: int
    chains: list[ChainRow] | None
    memory: MemoryRow
    #: Ids of the commands that were done lately.
    done: list[str]
    #: Pools that were given a task, in the order of their first ones.
    pools: list[PoolRow] = []
    #: Those that go on, and the last ones that have ended, in the order of starting.
    runs: list[RunRow] = []
    #: How many runs there were in all.
    run_count: int = 0
    #: Long tasks: those that run, and those that ended in the last ten seconds.
    tasks: list[TaskRow] = []
    #: Clusters that names are shared on.
    clusters: list[ClusterRow] = []


def as_plain(snapshot: Snapshot) -> dict[str, Any]:
    """
    Give a snapshot as what JSON can hold.
    """
    plain: dict[str, Any] = msgspec.to_builtins(snapshot)
    return plain


def tick_between(before: Snapshot, now: Snapshot) -> Snapshot:
    """
    Leave out of a whole snapshot what has not changed since the one before.

    Args:
        before: The whole snapshot before.
        now: The whole snapshot now.
    """
    known = {row.idx: row for row in before.objects}
    here = {row.idx for row in now.objects}
    return msgspec.structs.replace(
        now,
        whole=False,
        objects=[row for row in now.objects if known.get(row.idx) != row],
        gone=[idx for idx in known if idx not in here],
        errors=None if now.errors == before.errors else now.errors,
        chains=None if now.chains == before.chains else now.chains,
    )


def merge(before: Snapshot, tick: Snapshot) -> Snapshot:
    """
    Give the whole of a session again, from what it was and a tick.

    Args:
        before: The whole snapshot before.
        tick: What came after it.
    """
    rows = {row.idx: row for row in before.objects}
    rows.update((row.idx, row) for row in tick.objects)
    gone = set(tick.gone)
    return msgspec.structs.replace(
        tick,
        whole=True,
        objects=[row for idx, row in rows.items() if idx not in gone],
        gone=[],
        errors=before.errors if tick.errors is None else tick.errors,
        chains=before.chains if tick.chains is None else tick.chains,
    )
