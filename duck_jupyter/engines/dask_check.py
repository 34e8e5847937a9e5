"""
Checks of a Dask client before objects are shared with its cluster.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from .._version import __version__
from ..errors import HandshakeError, NotShareable
from .dask_scheduler import package_version

__all__ = ["check_client", "check_network", "check_workers", "is_safe"]

#: What carries data within one process, or encrypted.
SAFE = frozenset({"inproc", "tls", "wss"})


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


def check_network(client: Any) -> None:
    """
    Require that data do not cross a network without encryption.

    Raises:
        NotShareable: The cluster does so.
    """
    addresses = [client.scheduler.address]
    addresses += client.scheduler_info(n_workers=-1)["workers"]
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
    Require this version of the package in all workers that the cluster has now.

    Raises:
        HandshakeError: A worker has no or another version.
    """
    found = client.run(package_version)
    for worker, version in sorted(found.items()):
        if version == __version__:
            continue
        what = f"duck_jupyter {version}" if version else "no duck_jupyter"
        raise HandshakeError(
            f"The worker {worker} has {what}, and this notebook has {__version__}. "
            f"Install it on all workers: pip install duck-jupyter=={__version__}"
        )
