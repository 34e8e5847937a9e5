"""
Checks of a Dask client before objects are shared with its cluster.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from typing import Any

from .._version import __version__
from ..errors import HandshakeError, NotShareable, ProxyError
from .dask_asking import ask_workers
from .dask_scheduler import package_version

__all__ = [
    "CLOSED",
    "await_scheduler",
    "check_cluster",
    "check_error",
    "is_safe",
]

#: The states of a client that will not be connected again.
CLOSED = frozenset({"closing", "closed"})
#: Seconds in which a client that has lost its scheduler should reach it again.
RECONNECT_S = 5.0
#: Seconds between two looks at its status, which nobody announces.
LOOK_S = 0.05
#: What carries data within one process, or encrypted.
SAFE = frozenset({"inproc", "tls", "wss"})


def check_cluster(client: Any, *, insecure: bool) -> None:
    """
    Require a client and a cluster that objects can be shared on.

    Args:
        client: The client.
        insecure: Whether the user accepts connections without encryption.

    Raises:
        NotShareable: The client cannot be used, or only with `insecure`.
        HandshakeError: The workers have no or another version of this package.
    """
    check_client(client)
    try:
        if not insecure:
            check_network(client)
        check_workers(client)
    except Exception as error:
        check_error(client, error)
        raise


def check_error(client: Any, error: BaseException) -> None:
    """
    Require that an error is not one of a client that another thread has closed.

    Raises:
        NotShareable: It is: the client is closed, or not connected.
    """
    if isinstance(error, Exception) and not isinstance(error, ProxyError):
        check_client(client)


def check_client(client: Any) -> None:
    """
    Require an open client that can be called from any thread.

    Raises:
        NotShareable: It is closed, not connected, or asynchronous.
    """
    # The property is False outside of the client's event loop.
    if client.asynchronous or getattr(client, "_asynchronous", False):
        raise NotShareable(
            "The client must be an ordinary one, not Client(asynchronous=True), whose "
            "methods must be awaited. Make one with Client(ADDRESS)."
        )
    if client.status != "running" or client.scheduler_comm is None:
        raise NotShareable(
            f"The client must be connected to a scheduler, and its status is "
            f"{client.status!r}. Make a new one with Client(ADDRESS)."
        )


def await_scheduler(client: Any) -> None:
    """
    Wait while a client reaches its scheduler again.

    Raises:
        NotShareable: It does not within `RECONNECT_S`.
    """
    deadline = time.monotonic() + RECONNECT_S
    while client.status == "connecting":
        if time.monotonic() > deadline:
            raise NotShareable(
                f"The client of Dask has lost its scheduler at {client.scheduler.addr} "
                f"and has not reached it again for {RECONNECT_S:.0f} s. Nothing was "
                "submitted. The client still tries: submit again when its status is "
                "'running', or make a new one with Client(ADDRESS) and share the "
                "object on it."
            )
        threading.Event().wait(LOOK_S)


def check_network(client: Any) -> None:
    """
    Require that data do not cross a network without encryption.

    Raises:
        NotShareable: The cluster does so.
    """
    # The client's address of the scheduler may be a loopback address, while the
    # scheduler listens to the network.
    info = client.scheduler_info(n_workers=-1)
    addresses = [client.scheduler.address, info["address"], *info["workers"]]
    for address in addresses:
        if not is_safe(address):
            raise NotShareable(
                f"The cluster at {address} must use TLS: without it, everybody in "
                "its network can read the shared data and run code in the workers. "
                "Start the cluster and the client with a "
                "distributed.security.Security, or accept this with insecure=True "
                "(%share NAME --on dask --insecure)."
            )


def is_safe(address: str) -> bool:
    """
    Return whether data to an address are encrypted, or stay on this host.
    """
    scheme, _, rest = address.rpartition("://")
    if scheme in SAFE:
        return True
    host = rest.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_workers(client: Any) -> None:
    """
    Require this version of the package in all workers that answer now.

    Raises:
        HandshakeError: A worker has no or another version.
    """
    workers = client.scheduler_info(n_workers=-1)["workers"]
    found = ask_workers(client, package_version, workers)
    for worker, version in sorted(found.items()):
        if version == __version__:
            continue
        what = f"duck_jupyter {version}" if version else "no duck_jupyter"
        raise HandshakeError(
            f"The worker {worker} has {what}, and this notebook has {__version__}. "
            f"Install it on all workers: pip install duck-jupyter=={__version__}"
        )
