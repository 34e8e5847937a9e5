"""
The code of the engine for Dask that runs in Dask's workers.

A request goes to the kernel as an event of the worker, and the answer comes as a call
of a function in the worker. Both use the connections of the cluster, with its security.
"""

from __future__ import annotations

import io
import os
import secrets
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from distributed import Worker, get_worker

from ..client.other_hosts import host_mark
from ..errors import KernelGone, ProxyTimeout
from .arrivals import drop
from .dask_relay import open_tunnel
from .dask_scheduler import topic_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from ssl import SSLContext

__all__ = [
    "ANSWER_S",
    "ask_from_here",
    "connect_context",
    "hear",
    "load_in_task",
    "open_relay",
    "process_here",
    "receive",
]

#: Seconds in which a kernel answers; a large answer comes in pieces.
ANSWER_S = 30.0


class _Reply:
    """
    An answer that a thread waits for.
    """

    __slots__ = ("arrived", "data", "kernel")

    def __init__(self, kernel: str) -> None:
        self.kernel = kernel
        self.arrived: threading.Event = threading.Event()
        #: None if there will be no answer.
        self.data: bytes | None = None


#: The answers that threads wait for, by a random ticket.
_replies: dict[str, _Reply] = {}
#: The kernels that do not answer any more.
_lost: set[str] = set()


def load_in_task(
    load: Callable[..., Any], kernel: str, data: bytes | io.BytesIO
) -> Any:
    """
    Load an argument in the thread of a task.

    Args:
        load: As for `Engine.reference`.
        kernel: The name of the kernel.
        data: As for `Engine.reference`, or a file with it.
    """
    if isinstance(data, io.BytesIO):
        data = data.getvalue()
    return load(data, partial(ask, get_worker(), kernel))


def ask(worker: Any, kernel: str, request: bytes) -> bytes:
    """
    Send a request to a kernel and return its answer.

    Raises:
        KernelGone: The kernel has ended, stopped its server, or left the cluster.
        ProxyTimeout: There is no answer.
    """
    ticket = secrets.token_hex(8)
    reply = _replies[ticket] = _Reply(kernel)
    try:
        message = {"ask": ticket, "worker": worker.address, "data": request}
        worker.log_event(topic_of(kernel), message)
        if kernel not in _lost and not reply.arrived.wait(ANSWER_S):
            raise ProxyTimeout(
                "The kernel that shared this object did not answer within "
                f"{ANSWER_S:g} s. It has ended, or it is not connected to the cluster "
                "any more. Share the object again and submit the task again."
            )
    finally:
        del _replies[ticket]
    if reply.data is None:
        raise KernelGone(
            "The kernel that shared this object has ended, stopped its server, or left "
            "the cluster. Share the object again and submit the task again."
        )
    return reply.data


def worker_here() -> Any:
    """
    Return the worker of this process.

    Raises:
        ValueError: There is none.
    """
    try:
        return get_worker()
    except ValueError:  # a thread that the user has started
        running = list(Worker._instances)
        if not running:
            raise
        return running[0]


def ask_from_here(kernel: str, request: bytes) -> bytes:
    """
    Send a request to a kernel and return its answer; raises like `ask`.
    """
    return ask(worker_here(), kernel, request)


def open_relay(kernel: str) -> socket.socket:
    """
    Return a socket that leads to a kernel through the scheduler.

    Args:
        kernel: The name of the kernel.

    Raises:
        OSError: The scheduler or the kernel cannot be reached.
    """
    try:
        return open_tunnel(worker_here(), kernel)
    except (RuntimeError, ValueError) as error:  # the worker is being closed
        raise ConnectionError(f"this worker has no scheduler ({error})") from error


def connect_context() -> SSLContext:
    """
    Return the certificates with which a worker connects to others of its cluster.

    Raises:
        ValueError: This process is no worker of a cluster with TLS.
    """
    found = worker_here().security.get_connection_args("worker").get("ssl_context")
    if found is None:
        raise ValueError("this worker has no certificates of the cluster")
    context: SSLContext = found
    return context


def process_here() -> tuple[int, str]:
    """
    Return the number of this process, and the mark of its host.
    """
    return os.getpid(), host_mark()


def receive(ticket: str, data: bytes) -> None:
    """
    Take an answer; the kernel calls this in the worker.
    """
    reply = _replies.get(ticket)
    if reply is not None:
        reply.data = data
        reply.arrived.set()


def hear(message: dict[str, list[str]]) -> None:
    """
    Take a message; the kernel, or the scheduler in its place, calls this in the worker.
    """
    drop(message.get("drop", []))
    _lost.update(message.get("lost", []))
    for reply in list(_replies.values()):
        if reply.kernel in _lost:
            reply.arrived.set()
