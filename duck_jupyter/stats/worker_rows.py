"""
The rows of processes: workers of pools and of clusters, and those that have ended.

As in `rows`: times are seconds since the epoch, sizes are bytes, and None is what is
not known. ``labextension/src/snapshot.ts`` is generated from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from ..transport.identity import split_name
from .task_rows import WorkerState

if TYPE_CHECKING:
    from ..transport.handshake import Hello

__all__ = [
    "ClusterRow",
    "ClusterWorker",
    "EndedRow",
    "How",
    "Way",
    "WorkerRow",
    "cluster_worker",
]

#: How a process ended; "gone" if it is not known.
How = Literal["ended", "failed", "killed", "gone"]
#: The share of its limit at which a worker of Dask is paused.
NEAR_LIMIT = 0.8
#: How calls reach the kernel: by shared memory, by a connection of the network, or
#: through the scheduler of a cluster.
Way = Literal["lane", "direct", "relay"]


class ClusterRow(msgspec.Struct, frozen=True):
    """
    A cluster that names are shared on.
    """

    #: What runs it, such as "Dask".
    kind: str
    #: The link to the page that shows it, or empty.
    dashboard: str


class ClusterWorker(msgspec.Struct, frozen=True):
    """
    What is known of a process that works for a cluster, or is on another host.

    The cluster counts the tasks and measures the memory. Only while somebody looks is
    it asked for them.
    """

    host: str
    #: Its name in its cluster, else the port of its address. The number of a process
    #: that is in no cluster.
    worker: str
    #: Its number on its host.
    pid: int | None
    #: The address by which its cluster knows it, or empty.
    address: str = ""
    #: How many tasks it runs now, and how many wait there to be run.
    running: int | None = None
    waiting: int | None = None
    #: Its resident memory, which counts shared pages in each process, and the limit at
    #: which its cluster ends it.
    memory: int | None = None
    memory_limit: int | None = None
    #: What the cluster calls its state, such as "running" or "paused"; or empty.
    state: str = ""

    @property
    def is_near_limit(self) -> bool:
        """
        Whether its memory is so near the limit that Dask gives it no more tasks.
        """
        if self.memory is None or self.memory_limit is None:
            return False
        return self.memory >= NEAR_LIMIT * self.memory_limit


class WorkerRow(msgspec.Struct, frozen=True):
    """
    One process that is connected, maps a version of an object, or works for a pool.
    """

    #: Its number. A process of another host, or one whose number is not known, has a
    #: number above those of this host's; `ClusterWorker.pid` is its own.
    pid: int
    #: That of a worker of a cluster is ``HOST:WORKER``, as in `ClusterWorker`.
    name: str
    since: float
    #: How many of its threads are connected and have called.
    threads: int
    calls: int
    bytes_in: int
    bytes_out: int
    #: Seconds that its threads have waited for answers, added up: from the request to
    #: the answer, by the worker's own clock.
    waited: float
    #: Seconds that its threads have been connected, added up.
    connected: float
    #: The paths of the objects that it calls, or waits for, right now.
    calling: tuple[str, ...]
    #: Its memory in bytes, shared pages counted in parts.
    pss: int | None
    #: How many versions it maps.
    holds: int = 0
    #: `PoolRow.id` of its pool, and `RunRow.id` of the task that it has.
    pool: int | None = None
    state: WorkerState = "unseen"
    run: int | None = None
    #: When its task began.
    task_since: float | None = None
    #: The path of the object whose answer its task waits for.
    waiting_on: str | None = None
    #: Tasks that have ended, those that failed among them, and these.
    tasks: int | None = None
    failed_tasks: int | None = None
    #: Seconds in tasks without those in calls of proxies, and in these; a task that
    #: runs counts until now. And seconds from its start to its first task.
    t_computing: float | None = None
    t_waiting: float | None = None
    t_starting: float | None = None
    #: The median of the durations of its tasks.
    each_p50: float | None = None
    #: The way of its newest connection; None if it has called nothing.
    way: Way | None = None
    #: None for a process of this host that is in no cluster.
    cluster: ClusterWorker | None = None

    @property
    def own_pid(self) -> int | None:
        """
        Its number on its host; None if that is not known.
        """
        return self.pid if self.cluster is None else self.cluster.pid

    @property
    def memory(self) -> int | None:
        """
        Its memory in bytes, for a worker of a cluster as the cluster measures it.
        """
        return self.pss if self.cluster is None else self.cluster.memory

    @property
    def is_served(self) -> bool:
        """
        Whether it has called the server, or maps versions.
        """
        return self.connected > 0 or self.holds > 0

    @property
    def waiting_share(self) -> float:
        """
        The share of their time that its threads have waited for answers, from 0 to 1.
        """
        return min(self.waited / self.connected, 1.0) if self.connected > 0 else 0.0


class EndedRow(msgspec.Struct, frozen=True):
    """
    A process that was connected and has disconnected.
    """

    #: As in `WorkerRow`.
    pid: int
    name: str
    since: float
    ended: float
    #: The exit code, or the negative number of the signal. None if only the code that
    #: started the process can know it, or if the process still runs.
    exit_code: int | None
    #: ``"gone"`` if it is not known.
    how: How
    #: The same as text, with the exit code or the signal.
    words: str
    calls: int
    #: Tasks that it ended as a pool's worker; None if it was none, or is not known.
    tasks: int | None = None
    #: As in `WorkerRow`.
    cluster: ClusterWorker | None = None

    @property
    def own_pid(self) -> int | None:
        """
        As in `WorkerRow`.
        """
        return self.pid if self.cluster is None else self.cluster.pid


def cluster_worker(hello: Hello) -> ClusterWorker | None:
    """
    Return what a client has said of its cluster and of its host.

    Returns:
        None for a process of this host that is in no cluster.
    """
    if not (hello.worker or hello.far_pid):
        return None
    host, worker = split_name(hello.process_name)
    return ClusterWorker(host, worker, hello.far_pid or hello.pid, hello.worker)
