"""
The tasks of this process's pools, joined with what its server has counted.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ..pools.seen import look
from ..pools.seen_sources import Sources, options
from ..stats.cluster_joining import join_members
from ..stats.joining import join_workers
from ..stats.task_statistics import TaskStatistics
from ..stats.waits import waits_by_object

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..proxy import ProxyServer
    from ..stats.rows import ErrorRow, ServerStatistics
    from ..stats.worker_rows import EndedRow, WorkerRow
    from .clusters import ClustersSeen

__all__ = ["statistics_of", "tasks_seen", "tell_tasks_of"]


def tell_tasks_of(server: ProxyServer) -> None:
    """
    Let runs know what is handed over, and what is waited for.
    """
    get = weakref.ref(server)

    def handed() -> tuple[int, int]:
        found: Any = get()
        return (0, 0) if found is None else found.publisher.handed.in_all()

    def waits() -> dict[str, float]:
        found: Any = get()
        return {} if found is None else waits_by_object(found)

    options.sources = Sources(handed, waits)


def statistics_of(server: ProxyServer, clusters: ClustersSeen) -> ServerStatistics:
    """
    Return what a server has counted, with the workers of clusters.
    """
    found = server.statistics()
    if not (clusters.members or clusters.departed):
        return found
    workers, ended = join_members(
        found.workers, found.ended_workers, clusters.members, clusters.departed
    )
    return replace(found, workers=workers, ended_workers=ended)


def tasks_seen(
    rows: Sequence[WorkerRow], ended: Sequence[EndedRow] = ()
) -> tuple[TaskStatistics, tuple[ErrorRow, ...], list[EndedRow]]:
    """
    Look at the pools.

    Args:
        rows: The processes that are connected to the server, or hold versions.
        ended: Those that were connected.

    Returns:
        What is seen of tasks, the errors that they have raised, and `ended` with their
        tasks.
    """
    seen = look({row.pid: row.waited for row in rows})
    workers = tuple(join_workers(rows, seen.workers))
    found = TaskStatistics(seen.pools, seen.runs, workers, seen.tasks, seen.run_count)
    counts = seen.ended_tasks
    were = [replace(row, tasks=counts.get(row.pid)) for row in ended]
    return found, seen.errors, were
