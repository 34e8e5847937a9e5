"""
Proxies that arrive on another host than their kernel's, as in a task of a cluster.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from ..data.handles import this_machine
from ..errors import HandshakeError
from ..memory.process_state import pid_namespace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Way", "host_mark", "mark_for_clusters", "merge_ways", "on_other_host"]

#: A link keeps this many ways: a name that is shared again may have another one.
MOST_WAYS = 6


class Way(NamedTuple):
    """
    Where a kernel listens for workers of other hosts.
    """

    host: str
    port: int
    #: A pickled function that returns the `ssl.SSLContext` of a worker, or nothing for
    #: a connection without TLS. It is unpickled by the worker that connects.
    context: bytes = b""
    #: A pickled function that returns a connected socket, where others pass on what is
    #: sent; nothing where the worker connects to the kernel itself.
    relay: bytes = b""
    #: A pickled function that brings an object: see `Exchanges.fetch_elsewhere`.
    fetch: bytes = b""

    @property
    def server(self) -> str:
        """
        The name of the server in messages.
        """
        through = " through the scheduler" if self.relay else ""
        return f"The kernel at {self.host}:{self.port}{through}"

    def __repr__(self) -> str:
        # What is pickled in it may hold a secret.
        return f"<Way {self.host}:{self.port}>"


def merge_ways(new: Iterable[Way], known: Iterable[Way]) -> tuple[Way, ...]:
    """
    Return the ways that a proxy has brought, before those that were known.
    """
    return tuple(dict.fromkeys([*new, *known]))[:MOST_WAYS]


@functools.lru_cache(maxsize=1)
def host_mark() -> str:
    """
    Return a short text that differs between hosts, and between containers of one.
    """
    host = f"{this_machine()}/{pid_namespace()}"
    return hashlib.blake2b(host.encode(), digest_size=4).hexdigest()


def mark_for_clusters(ways: Sequence[Way], mark: str = "") -> tuple[Any, ...]:
    """
    Return what a pickle that a cluster may take to another host says of the kernel's.

    Args:
        ways: Where the kernel listens for other hosts.
        mark: The mark of the kernel's host, if it is not this one.

    Returns:
        Nothing, or the mark of the kernel's host and the ways.
    """
    if not (ways or mark or "distributed" in sys.modules):
        return ()
    # Plain tuples, which every version of this package can read.
    return (mark or host_mark(), *([tuple(map(tuple, ways))] if ways else ()))


def on_other_host(name: str) -> HandshakeError:
    """
    Return the error of a proxy that cannot reach its kernel from here.

    Args:
        name: The kernel in messages.
    """
    return HandshakeError(
        f"{name} is on another host, and this proxy brings no way to it. Share the "
        "object with the cluster, share(obj, name, on=client), and pass its proxy or "
        "the object itself again."
    )
