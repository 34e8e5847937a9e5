"""
Where a kernel listens for live calls of the workers of a Dask cluster.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from distributed.comm.addressing import get_address_host
from distributed.utils import get_ip

from . import dask_worker
from .dask_check import is_safe
from .engine import Way

if TYPE_CHECKING:
    from ssl import SSLContext

__all__ = ["ways_of"]

#: Schemes of addresses over a network, and those of them that web sockets have.
ENCRYPTED = frozenset({"tls", "wss"})
PLAIN = frozenset({"tcp", "ws"})
WEB_SOCKETS = frozenset({"ws", "wss"})


def ways_of(client: Any, kernel: str, *, insecure: bool) -> tuple[Way, ...]:
    """
    Return the address by which the scheduler knows this host.

    Without TLS, nothing beyond this host is listened to unless the user accepts that.

    Args:
        client: The client.
        kernel: The name of the kernel.
        insecure: Whether the user accepts connections without encryption.
    """
    connection = client.scheduler_comm
    if connection is None:
        return ()
    address = connection.comm.local_address
    scheme = address.partition("://")[0]
    host = get_address_host(address)
    if scheme in WEB_SOCKETS:
        # What they say is the address of the other side.
        host = get_ip(host)
    relay = partial(dask_worker.open_relay, kernel)
    ask = partial(dask_worker.ask_from_here, kernel)
    if scheme in ENCRYPTED:
        listen = partial(_listen_context, client.security)
        return (Way(host, listen, dask_worker.connect_context, relay, ask),)
    if scheme in PLAIN and (insecure or is_safe(address)):
        return (Way(host, relay=relay, ask=ask),)
    return ()


def _listen_context(security: Any) -> SSLContext:
    found: SSLContext = security.get_listen_args("client")["ssl_context"]
    return found
