"""
What a client says of itself, and the worker of a cluster that its process is.

Nothing is imported for it: a process that is such a worker has its library already.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Any

from .handshake import PROTOCOL_VERSION, Hello

__all__ = [
    "hello_here",
    "name_of_worker",
    "ray_worker_here",
    "split_name",
    "worker_here",
]

NOBODY = ("", "")
#: The states of a worker of Dask that runs tasks, or will run some.
ALIVE = frozenset({"init", "running", "paused", "closing_gracefully"})


def hello_here(client: str, thread: int, name: str, bufsize: int = 0) -> Hello:
    """
    Return the identity of this process and of the calling thread.

    Args:
        client: The id of this process.
        thread: The number of the calling thread within this process.
        name: The name of this process, unless it is a worker of a cluster.
        bufsize: The requested size of the buffer in bytes; 0 is the server's own size.
    """
    worker, name_in_cluster = worker_here()
    name_in_cluster = name_in_cluster or ray_worker_here()
    return Hello(
        PROTOCOL_VERSION,
        client,
        thread,
        os.getpid(),
        name_in_cluster or name,
        threading.current_thread().name,
        threading.get_native_id(),
        bufsize=bufsize,
        worker=worker,
    )


def worker_here() -> tuple[str, str]:
    """
    Return the address and the name of the worker of Dask that this process is.

    Returns:
        Two empty texts if it is none.
    """
    module: Any = sys.modules.get("distributed.worker")
    if module is None:
        return NOBODY
    # An object that another version of Dask makes may lack an attribute. An address
    # that is not known yet is a ValueError.
    with contextlib.suppress(AttributeError, ValueError):
        for worker in list(module.Worker._instances):
            # A forked child of a worker is none, and one that was closed stays listed.
            is_here = worker.monitor.proc.pid == os.getpid()
            if is_here and worker.status.name in ALIVE:
                return worker.address, name_of_worker(worker.address, worker.name)
    return NOBODY


def ray_worker_here() -> str:
    """
    Return ``HOST:ACTOR``, or ``HOST:worker``, for a worker of Ray.

    Returns:
        An empty text if this process is none.
    """
    module: Any = sys.modules.get("ray._private.worker")
    # Another version of Ray may lack an attribute.
    with contextlib.suppress(AttributeError):
        worker = module.global_worker
        if worker.mode == module.WORKER_MODE:
            actor = worker.actors.get(worker.actor_id)
            what = "worker" if actor is None else type(actor).__name__
            return f"{worker.node_ip_address}:{what}"
    return ""


def name_of_worker(address: str, name: object) -> str:
    """
    Return ``HOST:WORKER`` for a worker.

    Args:
        address: Its address, such as ``tls://10.0.0.2:37001``.
        name: Its name in the cluster, which may be its address.
    """
    text = str(name)
    port = address.rpartition("://")[2].rpartition(":")[2]
    return f"{host_of(address)}:{port if '://' in text else text}"


def split_name(name: str) -> tuple[str, str]:
    """
    Return the host and the worker in a name of `name_of_worker`.

    Returns:
        No host where the name has no colon. A worker may have more of them.
    """
    if name.startswith("["):
        host, _, worker = name.partition("]:")
        return f"{host}]", worker
    host, colon, worker = name.partition(":")
    return (host, worker) if colon else ("", name)


def host_of(address: str) -> str:
    """
    Return the host in an address, such as ``10.0.0.2`` or ``[fd00::2]``.
    """
    place = address.rpartition("://")[2]
    # Within one process an address has no port: inproc://10.0.0.1/17/4.
    return place.rpartition(":")[0] or place.partition("/")[0]
